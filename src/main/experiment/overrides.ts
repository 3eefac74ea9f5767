import type { z } from 'zod';
import { PoolbenchError } from '../errors.ts';
import { type Experiment, experimentSchema } from './experiment.ts';
import { faultsOf } from './faults.ts';

const { target, rounds, seconds, warmupSeconds, seed } = experimentSchema.shape;
const numbers = { rounds, seconds, warmup: warmupSeconds, seed } as const;

/** What the command line changes in an experiment, as it was typed. */
export type Overrides = { readonly [Flag in keyof typeof numbers | 'url']?: string | undefined };

/** What the command line changes in a config. */
export interface ConfigOverrides extends Overrides {
  /** Another config, whose target takes the place of the config's own. */
  readonly target?: string | undefined;
  /** At most 30 s in all: cuts rounds and times, except those that the command line sets. */
  readonly quick?: boolean | undefined;
}

/**
 * The experiment as the command line changes it, held to the same rules as the config.
 *
 * @throws USAGE with the name of every flag that is wrong
 */
export function applyOverrides(experiment: Experiment, overrides: Overrides): Experiment {
  const faults: string[] = [];
  const refuse = (flag: string, { issues }: z.core.$ZodError, input: unknown) =>
    faults.push(...faultsOf(issues, input, flag).map(({ text }) => text));
  const numberOf = (flag: keyof typeof numbers, otherwise: number): number => {
    const text = overrides[flag];
    if (text === undefined) return otherwise;
    // What is not a plain number is left as text, so that the message shows what was typed.
    const input = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    const parsed = numbers[flag].safeParse(input);
    if (parsed.success) return parsed.data;
    refuse(`--${flag}`, parsed.error, input);
    return otherwise;
  };

  const changedTarget = { ...experiment.target, url: overrides.url ?? experiment.target.url };
  if (overrides.url !== undefined) {
    const parsed = target.shape.url.safeParse(overrides.url);
    // It must also suit the other keys of the target.
    const whole = target.safeParse(changedTarget);
    if (!parsed.success) refuse('--url', parsed.error, overrides.url);
    else if (!whole.success) refuse('--url: target', whole.error, changedTarget);
  }
  const changed: Experiment = {
    ...experiment,
    target: changedTarget,
    rounds: numberOf('rounds', experiment.rounds),
    seconds: numberOf('seconds', experiment.seconds),
    warmupSeconds: numberOf('warmup', experiment.warmupSeconds),
    seed: numberOf('seed', experiment.seed),
  };
  if (faults.length > 0) throw new PoolbenchError('USAGE', faults.join('\n'));
  return changed;
}
