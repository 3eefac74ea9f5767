import type { ScenarioResult } from '../../result.ts';
import { type ArmPair, pairArms } from './arms.ts';

/** The fewest workers of these arms with the most, at as many connections a worker and the same share of minIdle. */
export function pairFewWithMany(arms: readonly ScenarioResult[]): ArmPair[] {
  const levels = arms.map(({ workers }) => workers);
  const few = Math.min(...levels);
  const many = Math.max(...levels);
  const sizes = new Set(arms.map(sizeOf));
  return [...sizes].flatMap(size =>
    pairArms(arms, {
      isBase: arm => arm.workers === few && sizeOf(arm) === size,
      isOther: arm => arm.workers === many && many > few && sizeOf(arm) === size,
      differ: ['workers', 'connections', 'minIdle'],
    }),
  );
}

/** The pairs of each level of workers, the lowest first: a level is judged by itself. */
export function byWorkers(pairs: readonly ArmPair[]): [workers: number, pairs: ArmPair[]][] {
  const levels = [...new Set(pairs.map(({ base }) => base.workers))].toSorted((a, b) => a - b);
  return levels.map(workers => [workers, pairs.filter(({ base }) => base.workers === workers)]);
}

/** Connections and minIdle are totals: two scenarios are sized alike if these are the same for each worker. */
function sizeOf({ workers, connections, minIdle }: ScenarioResult): string {
  return `${connections / workers} ${(minIdle / connections).toFixed(1)}`;
}
