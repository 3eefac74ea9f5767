import { readExperiment } from '../config/read-config.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { planSides } from '../plan/sides.ts';
import { measureSides } from '../run/measure-sides.ts';

/**
 * `poolbench run CONFIG`: one side, or one for each number of server threads that the config lists.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured, or what ended the run
 */
export async function run(path: string, flags: RunFlags): Promise<number> {
  const experiment = await readExperiment(path, flags);
  return await measureSides({ name: experiment.name, sides: planSides([experiment]) }, flags);
}
