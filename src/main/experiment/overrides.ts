import type { z } from 'zod';
import { fixedRounds } from '../../aggregate/stats/sign-test.ts';
import { sourceOfUrl } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { type Experiment, experimentSchema, retargeted, roundCount } from './experiment.ts';
import { faultsOf } from './faults.ts';
import type { Asked } from './question.ts';

const { target, budgetSeconds, seconds, warmupSeconds, seed } = experimentSchema.shape;
const numbers = { rounds: roundCount, budget: budgetSeconds, seconds, warmup: warmupSeconds, seed } as const;

/** Units of a time; without one it is in seconds. */
const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** A time as it is typed, such as 90, 90s or 1.5m, in seconds; undefined for other text. */
export function secondsOfText(text: string): number | undefined {
  const [, number, unit = 's'] = /^(-?\d+(?:\.\d+)?)([smh])?$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (unitSeconds[unit] ?? 1);
}

/** The issues of a number of seconds that can be typed with a unit. */
function asTimes({ issues }: z.core.$ZodError): Pick<z.core.$ZodError, 'issues'> {
  const words = 'a time such as 90s, 3m or 1h';
  return { issues: issues.map(issue => ({ ...issue, message: `${words}, or ${issue.message}` })) };
}

/** Changes of the command line to an experiment, as typed. */
export type Overrides = { readonly [Flag in keyof typeof numbers | 'url']?: string | undefined };

/** What the command line changes in a config. */
export interface ConfigOverrides extends Overrides {
  /** Another config, whose target replaces the config's own. */
  readonly target?: string | undefined;
  /** At most 30 s in all: cuts rounds and times, except those that the command line sets. */
  readonly quick?: boolean | undefined;
  /** Flags of a question, with a URL instead of a config. */
  readonly asked?: Asked | undefined;
}

/**
 * The experiment with the changes of the command line, checked by the same rules as the config.
 *
 * @throws USAGE with the name of every flag that is wrong
 */
export function applyOverrides(experiment: Experiment, overrides: Overrides): Experiment {
  const faults: string[] = [];
  const refuse = (flag: string, { issues }: Pick<z.core.$ZodError, 'issues'>, input: unknown) =>
    faults.push(...faultsOf(issues, input, flag).map(({ text }) => text));
  const numberOf = <Otherwise extends number | null>(flag: keyof typeof numbers, otherwise: Otherwise) => {
    const text = overrides[flag];
    if (text === undefined) return otherwise;
    const isTime = flag === 'budget';
    // Anything but a plain number stays text, so that the message shows what was typed.
    const input = (isTime || /\d$/.test(text) ? secondsOfText(text) : undefined) ?? text;
    const parsed = numbers[flag].safeParse(input);
    if (parsed.success && parsed.data !== null) return parsed.data;
    if (!parsed.success)
      refuse(`--${flag}`, isTime ? asTimes(parsed.error) : parsed.error, isTime ? text : input);
    return otherwise;
  };

  const changedTarget = { ...experiment.target, url: overrides.url ?? experiment.target.url };
  if (overrides.url !== undefined) {
    const parsed = target.shape.url.safeParse(overrides.url);
    // It must also suit the other keys of the target.
    const whole = target.safeParse(changedTarget);
    const source = sourceOfUrl(overrides.url);
    if (!parsed.success) refuse(source, parsed.error, overrides.url);
    else if (!whole.success) refuse(`${source}: target`, whole.error, changedTarget);
  }
  const rounds = numberOf('rounds', null);
  const changed: Experiment = {
    ...experiment,
    target: changedTarget,
    rounds: rounds === null ? experiment.rounds : fixedRounds(rounds),
    // A budget in the config would reduce the requested number.
    budgetSeconds: numberOf('budget', rounds === null ? experiment.budgetSeconds : null),
    seconds: numberOf('seconds', experiment.seconds),
    warmupSeconds: numberOf('warmup', experiment.warmupSeconds),
    seed: numberOf('seed', experiment.seed),
  };
  const whole = retargeted.safeParse(changed);
  if (!whole.success) refuse('', whole.error, changed);
  if (faults.length > 0) throw new PoolbenchError('USAGE', faults.join('\n'));
  return changed;
}
