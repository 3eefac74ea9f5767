import type { Result } from '../src/aggregate/result.ts';
import { judgeControl, withoutControls } from '../src/aggregate/stats/control.ts';
import { throughput } from '../src/aggregate/stats/measures.ts';
import { pairByRound } from '../src/aggregate/stats/rounds.ts';
import { fixedRounds } from '../src/aggregate/stats/sign-test.ts';
import { median } from '../src/aggregate/stats/statistics.ts';
import { threadWarmth } from '../src/aggregate/stats/thread-warmth.ts';
import { formatRatioInterval } from '../src/aggregate/text/format.ts';
import type { Block } from '../src/main/experiment/blocks.ts';
import { type Plan, planRun, planSides } from '../src/main/experiment/plan.ts';
import { readConfig } from '../src/main/experiment/read-config.ts';
import type { Scenario } from '../src/main/experiment/scenarios.ts';
import { measurePlan } from './measure-plan.ts';
import type { Question } from './question.ts';

/** Shorter than those of the config, so that ten runs end within half an hour. */
const times = { seconds: 0.2, warmupSeconds: 0.2 };

/**
 * An A/A test: configs/redis.json with every arm replaced by one and the same, under the names of all. What it then finds
 * between arms is what the tool makes up. Intervals should hold 1 as often as stated, and threads be warm from round 1 on.
 */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title('A/A: the main experiment with equal arms');
  const config = await readConfig('configs/redis.json');
  const url = `redis://127.0.0.1:${server.port}/0`;
  let [held, intervals, controlsHeld] = [0, 0, 0];
  const warmth: number[] = [];
  for (let run = 1; run <= rounds; run++) {
    const experiment = {
      ...config,
      ...times,
      rounds: fixedRounds(11),
      seed: run,
      target: { ...config.target, url },
    };
    const plan = withEqualArms(planRun([experiment]));
    const [result] = await measurePlan(plan);
    if (result === undefined) throw new Error('expected a result');
    const ratios = pairsOf(plan, result);
    const holding = ratios.filter(({ low, high }) => low <= 1 && high >= 1).length;
    held += holding;
    intervals += ratios.length;
    const control = judgeControl(result.scenarios);
    if (control !== undefined && control.ratio.low <= 1 && control.ratio.high >= 1) controlsHeld++;
    const threads = threadWarmth(withoutControls(result)).flatMap(({ threads }) => threads);
    const change = median(threads.map(({ ratio }) => ratio));
    warmth.push(change);
    report.say(
      `Run ${run}: ${holding} of ${ratios.length} intervals hold 1; control ${formatRatioInterval(control?.ratio ?? null)}; CPU an operation, first to last rounds, median over threads ×${change.toFixed(2)}`,
    );
  }
  report.say(
    `\nAll: ${held} of ${intervals} intervals hold 1 (${((100 * held) / intervals).toFixed(1)} %), ${controlsHeld} of ${rounds} controls do; CPU an operation, first to last rounds ×${median(warmth).toFixed(2)} (${Math.min(...warmth).toFixed(2)} to ${Math.max(...warmth).toFixed(2)})\n`,
  );
};

/** Two pools in threads of their own, as the config has them, in the place of every arm. */
function withEqualArms({ sides, blocks }: Plan): Plan {
  const all = sides.flatMap(({ scenarios }) => scenarios);
  const one = all.find(
    ({ client, pools, workers }) => client === 'ioredis' && pools === 2 && workers === 100,
  );
  if (one === undefined)
    throw new Error('expected configs/redis.json to have 2 pools with ioredis and 100 workers');
  const replace = ({ id, control }: Scenario): Scenario => ({
    ...one,
    id,
    ...(control === undefined ? {} : { control }),
  });
  const replaced = blocks.map(
    ({ elements }): Block => ({ elements: elements.map(element => element.map(replace)) }),
  );
  return planSides(
    sides.map(side => ({ ...side, scenarios: side.scenarios.map(replace) })),
    replaced,
  );
}

/** The ratios of each block's arms to its first one: what claims would compare. */
function pairsOf({ blocks }: Plan, result: Result) {
  const arms = new Map(withoutControls(result).map(arm => [arm.id, arm]));
  return blocks.flatMap(({ elements }) => {
    const [base, ...others] = elements.flat().flatMap(({ id }) => arms.get(id) ?? []);
    return base === undefined
      ? []
      : others.flatMap(other => pairByRound(base, other, throughput).ratio ?? []);
  });
}
