import { limits } from '../../aggregate/scenario/limits.ts';
import { PoolbenchError } from '../errors.ts';
import { expectSuitsAgents } from '../experiment/agent-misfits.ts';
import type { Experiment } from '../experiment/experiment.ts';
import { secondsOfText } from '../experiment/overrides.ts';
import type { Options } from '../options.ts';
import type { Enlist } from '../run/session.ts';

/** @throws PoolbenchError USAGE if none is given */
export function controlUrl({ control }: Options<'control'>): string {
  const url = control ?? process.env.POOLBENCH_CONTROL;
  if (url) return url;
  throw new PoolbenchError(
    'USAGE',
    'expected the URL of the control server (--control, or POOLBENCH_CONTROL), such as redis://control.internal:6379: a Redis or Valkey, not the target, through which runs and agents talk',
  );
}

/** @throws PoolbenchError USAGE */
export function groupOf({ group = 'default' }: Options<'group'>): string {
  if (/^[\w.-]{1,64}$/.test(group)) return group;
  throw new PoolbenchError(
    'USAGE',
    `--group: expected 1 to 64 letters, digits, "_", "." or "-", found ${group}`,
  );
}

/** @throws PoolbenchError USAGE */
export function wholeNumberOf(
  flag: string,
  typed: string | undefined,
  otherwise: number,
  max = 1024,
): number {
  if (typed === undefined) return otherwise;
  if (/^[1-9]\d{0,3}$/.test(typed) && Number(typed) <= max) return Number(typed);
  throw new PoolbenchError('USAGE', `--${flag}: expected a whole number from 1 to ${max}, found ${typed}`);
}

const usualWait = '60s';

function waitMsOf(typed: string): number {
  const seconds = secondsOfText(typed) ?? -1;
  if (seconds >= 0) return seconds * 1000;
  throw new PoolbenchError('USAGE', `--agents-wait: expected a time such as 60s or 5m, found ${typed}`);
}

/**
 * How a session gets its agents; undefined if it has none.
 *
 * @param experiments what it measures
 * @throws PoolbenchError USAGE; CLIENT_NOT_USABLE for clients that agents do not have
 */
export function enlistFor(
  options: Options<'agents' | 'control' | 'agents-wait' | 'group'>,
  name: string,
  experiments: readonly Pick<Experiment, 'workload' | 'populations' | 'scenarios'>[],
): Enlist | undefined {
  const { agents: typed } = options;
  if (typed === undefined) {
    const without = (['control', 'agents-wait', 'group'] as const).find(flag => options[flag] !== undefined);
    if (without === undefined) return undefined;
    throw new PoolbenchError('USAGE', `expected --agents N with --${without}`);
  }
  for (const experiment of experiments) expectSuitsAgents(experiment);
  const wanted = {
    ...{
      url: controlUrl(options),
      agents: wholeNumberOf('agents', typed, 1, limits.agents),
      group: groupOf(options),
    },
    ...{ waitMs: waitMsOf(options['agents-wait'] ?? usualWait), name },
  };
  return async (say, signal) => {
    const { Agents } = await import('../agents/agents.ts');
    return await Agents.enlist({ ...wanted, say, signal });
  };
}
