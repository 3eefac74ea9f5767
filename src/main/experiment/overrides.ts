import type { z } from 'zod';
import { PoolbenchError } from '../errors.ts';
import { type Experiment, experimentSchema } from './experiment.ts';
import { faultsOf } from './faults.ts';

/** What the command line overrides in a config, as it was typed. */
export interface Overrides {
  readonly url?: string | undefined;
  readonly rounds?: string | undefined;
  readonly seconds?: string | undefined;
  readonly warmup?: string | undefined;
  readonly seed?: string | undefined;
  /** At most 30 s in all: cuts rounds and times, except those that the command line sets. */
  readonly quick?: boolean | undefined;
}

const { target, rounds, seconds, warmupSeconds, seed } = experimentSchema.shape;
const schemas = { url: target.shape.url, rounds, seconds, warmup: warmupSeconds, seed } as const;

/**
 * The experiment as the command line changes it, held to the same rules as the config.
 *
 * @throws USAGE with the name of every flag that is wrong
 */
export function applyOverrides(experiment: Experiment, overrides: Overrides): Experiment {
  const faults: string[] = [];
  const refuse = (flag: string, { issues }: z.core.$ZodError, input: unknown) =>
    faults.push(...faultsOf(issues, input, flag).map(({ text }) => text));
  const numberOf = (flag: 'rounds' | 'seconds' | 'warmup' | 'seed', otherwise: number): number => {
    const text = overrides[flag];
    if (text === undefined) return otherwise;
    // What is not a plain number is left as text, so that the message shows what was typed.
    const input = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    const parsed = schemas[flag].safeParse(input);
    if (parsed.success) return parsed.data;
    refuse(`--${flag}`, parsed.error, input);
    return otherwise;
  };

  let url = experiment.target.url;
  if (overrides.url !== undefined) {
    const parsed = schemas.url.safeParse(overrides.url);
    if (parsed.success) url = parsed.data;
    else refuse('--url', parsed.error, overrides.url);
    // It must also suit the other keys of the target.
    const changed = { ...experiment.target, url };
    const whole = target.safeParse(changed);
    if (!whole.success) refuse('--url: target', whole.error, changed);
  }
  const changed: Experiment = {
    ...experiment,
    target: { ...experiment.target, url },
    rounds: numberOf('rounds', experiment.rounds),
    seconds: numberOf('seconds', experiment.seconds),
    warmupSeconds: numberOf('warmup', experiment.warmupSeconds),
    seed: numberOf('seed', experiment.seed),
  };
  if (faults.length > 0) throw new PoolbenchError('USAGE', faults.join('\n'));
  return changed;
}
