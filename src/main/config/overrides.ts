import { PoolbenchError } from '../errors.ts';
import { type Experiment, experimentSchema } from './experiment.ts';
import { explainIssues } from './explain-issues.ts';

/** What the command line says over the config, as it was typed. */
export interface Overrides {
  readonly url?: string | undefined;
  readonly rounds?: string | undefined;
  readonly seconds?: string | undefined;
  readonly warmup?: string | undefined;
  readonly seed?: string | undefined;
  /** At most 30 s in all: cuts rounds and times, but none that the command line names. */
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
  const numberOf = (flag: 'rounds' | 'seconds' | 'warmup' | 'seed', otherwise: number): number => {
    const text = overrides[flag];
    if (text === undefined) return otherwise;
    // What is not a plain number is left as text, so that the message shows what was typed.
    const input = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    const parsed = schemas[flag].safeParse(input);
    if (parsed.success) return parsed.data;
    faults.push(...explainIssues(parsed.error.issues, input, `--${flag}`));
    return otherwise;
  };

  let url = experiment.target.url;
  if (overrides.url !== undefined) {
    const parsed = schemas.url.safeParse(overrides.url);
    if (parsed.success) url = parsed.data;
    else faults.push(...explainIssues(parsed.error.issues, overrides.url, '--url'));
    // It must also go with what else the config says of the target.
    const changed = { ...experiment.target, url };
    const whole = target.safeParse(changed);
    if (!whole.success)
      faults.push(...explainIssues(whole.error.issues, changed, 'target').map(line => `--url: ${line}`));
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
