import type { Result } from '../../aggregate/result.ts';
import { findClients } from '../experiment/clients.ts';
import type { Plan } from '../experiment/plan.ts';
import { unlessAborted } from '../interrupt.ts';
import { mayStartServer, type Options } from '../options.ts';
import { describeAlerts, describeFoundTarget, findTarget, shownTarget } from '../server/find-target.ts';
import { describeRing, type LoadableSide, preflightSide } from './preflight-side.ts';

/** A side that could be run. */
export interface CheckedSide {
  /** Unique within the plan. */
  readonly name: string;
  readonly target: Result['target'];
  /** Caveats of the target, and of what is planned on it. */
  readonly warnings: readonly string[];
}

interface CheckOptions {
  readonly flags: Options<'url' | 'start' | 'no-stand-in' | 'force'>;
  /** Receives what is found, one text at a time. */
  readonly say: (text: string) => void;
  /** Ends the check; a server that is just being started is stopped once it is up. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does everything that a run does before its load, for one target after another.
 *
 * @throws PoolbenchError for what would end a run before its load; the reason of the signal
 */
export async function checkPlan(plan: Plan, options: CheckOptions): Promise<CheckedSide[]> {
  const sides: LoadableSide[] = [];
  for (const side of plan.sides) sides.push({ ...side, clients: await findClients(side) });
  const checked: CheckedSide[] = [];
  for (const side of sides) {
    options.signal?.throwIfAborted();
    checked.push(await checkSide(side, sides.length, options));
  }
  return checked;
}

async function checkSide(
  side: LoadableSide,
  sides: number,
  { flags, say, signal = new AbortController().signal }: CheckOptions,
): Promise<CheckedSide> {
  const found = findTarget(side.experiment, {
    standInAllowed: flags['no-stand-in'] !== true,
    mayStart: mayStartServer(flags),
    onFreePort: sides > 1,
    say,
  });
  const target = await unlessAborted(found, signal, late => late.stop());
  try {
    for (const line of describeAlerts(target)) say(line);
    say(describeFoundTarget(target));
    const caveats = await preflightSide(side, target, { force: flags.force === true });
    const warnings = [...target.notes, ...caveats];
    for (const warning of warnings) say(`warning: ${warning}`);
    const ring = describeRing(side, target);
    if (ring !== '') say(ring);
    return { name: side.name, target: shownTarget(target), warnings };
  } finally {
    await target.stop();
  }
}
