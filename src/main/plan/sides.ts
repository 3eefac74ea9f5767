import { uniqueNames } from '../../aggregate/text/safe-name.ts';
import type { Experiment } from '../config/experiment.ts';

/** One side of a run before its target is found. */
export interface PlannedSide {
  /** Another one for each side of a run. */
  readonly name: string;
  /** With one number of server threads at most. */
  readonly experiment: Experiment;
}

/** One side for each experiment, and for each number of server threads that it asks for. */
export function planSides(experiments: readonly Experiment[]): PlannedSide[] {
  const sides = experiments.flatMap(experiment => {
    const { target, name } = experiment;
    if (target.threads.length < 2) return [{ name, experiment }];
    return target.threads.map(threads => ({
      name: `${name}-${threads}${threads === 1 ? 'thread' : 'threads'}`,
      experiment: { ...experiment, target: { ...target, threads: [threads] } },
    }));
  });
  const names = uniqueNames(
    sides.map(side => side.name),
    '-',
  );
  return sides.map((side, index) => ({ ...side, name: names[index] ?? side.name }));
}
