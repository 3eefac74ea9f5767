import type { RunFlags } from '../parse-command-line.ts';
import type { Experiment } from './experiment.ts';
import { applyOverrides } from './overrides.ts';
import { readConfig } from './read-config.ts';

/**
 * The experiment of a config as the command line changes it: `--target` gives it the target of another config, and what
 * else is said goes over that.
 *
 * @throws PoolbenchError CONFIG_MISSING, CONFIG_INVALID, USAGE
 */
export async function readExperiment(path: string, flags: RunFlags): Promise<Experiment> {
  const experiment = await readConfig(path);
  if (flags.target === undefined) return applyOverrides(experiment, flags);
  const { target } = await readConfig(flags.target);
  return applyOverrides({ ...experiment, target }, flags);
}
