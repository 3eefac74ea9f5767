import type { Result } from '../result.ts';
import { p95 } from '../stats/measures.ts';
import { clearlyLess, clearlyMore } from '../stats/statistics.ts';
import type { Judgement, TwoServerClaim } from './claim.ts';
import { compareArms } from './judging/arms.ts';
import { judgePredictions, untested } from './judging/judge-predictions.ts';
import {
  decides,
  findSides,
  findUnequalThreads,
  findUnfairness,
  isPairMeasured,
  isUndisturbed,
  notOfTheServers,
  pairSides,
  predictBeside,
  showBoth,
} from './judging/versus.ts';

/** "Within ±5 %". */
const range = { low: clearlyLess, high: clearlyMore };

/** C9. About two servers: in one run there is no second. */
export const valkey: TwoServerClaim = {
  id: 'C9',
  statement: 'Valkey is as fast as Redis.',
  predicted:
    'throughput within ±5 % of that on Redis (its table says ×1.03), held to where the servers are the limit',
  suite: 'versus',
  judgeSides: judgeValkey,
};

/**
 * Every arm that the servers limited on both sides is judged by itself; behind a saturated client all servers look alike.
 * Where only one side was behind one, the ratio is a bound, which can refute and not support.
 */
function judgeValkey(results: readonly Result[]): Judgement {
  const sides = findSides(results, 'valkey');
  if (typeof sides === 'string') return untested(sides);
  const pairs = pairSides(sides.scenarios, sides, isUndisturbed).filter(isPairMeasured);
  const judged = pairs.filter(pair => decides(pair, range));
  if (pairs.length > 0 && judged.length === 0) return notOfTheServers(pairs, sides);
  return judgePredictions(sides, {
    needs: 'the same scenarios on Valkey and on Redis',
    predictions: scenarios =>
      judged
        .filter(({ other }) => scenarios.includes(other))
        .map(pair => predictBeside(pair, 'Valkey', range)),
    proof: () => findUnfairness(sides) ?? findUnequalThreads(sides),
    context: () => [
      ...judged.flatMap(pair => compareArms(pair, p95, null)),
      ...showBoth(pairs.filter(pair => !judged.includes(pair))),
    ],
  });
}
