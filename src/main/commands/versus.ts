import { whyNotComparable } from '../../aggregate/comparison/equality.ts';
import { longestName } from '../../aggregate/text/safe-name.ts';
import { readExperiment } from '../config/read-config.ts';
import { PoolbenchError } from '../errors.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { expandScenarios } from '../plan/scenarios.ts';
import { planSides } from '../plan/sides.ts';
import { measureSides } from '../run/measure-sides.ts';

/**
 * `poolbench versus CONFIG CONFIG…`: measures all of them in turn within every round, then compares them to the first.
 *
 * @returns the exit code
 * @throws PoolbenchError CONFIG_INVALID where there is nothing to compare; as `measureSides`
 */
export async function versus(paths: readonly string[], flags: RunFlags): Promise<number> {
  const sides = planSides(await Promise.all(paths.map(path => readExperiment(path, flags))));
  const unequal = whyNotComparable(
    sides.map(({ name, experiment }) => ({
      name,
      workload: experiment.workload,
      scenarios: expandScenarios(experiment.scenarios).map(({ id }) => id),
    })),
  );
  if (unequal !== null) throw new PoolbenchError('CONFIG_INVALID', `${unequal}; make the configs alike`);
  const names = sides.map(({ name }) => name);
  const joined = `versus-${names.join('-')}`;
  const name = joined.length <= longestName ? joined : `versus-${names[0]}-and-${names.length - 1}-more`;
  return await measureSides({ name, sides }, flags);
}
