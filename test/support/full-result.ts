import type { Result, RoundResult, ScenarioResult } from '../../src/aggregate/result.ts';
import { seededRandom } from '../../src/aggregate/stats/statistics.ts';
import { encodeHistogram } from './encoded-histogram.ts';
import { type BuiltResult, buildResult, buildRound, buildScenario } from './result-builder.ts';

interface Size {
  readonly workers?: readonly number[];
  readonly pools?: readonly number[];
  readonly clients?: readonly string[];
  readonly rounds?: number;
  /** Of a window. */
  readonly seconds?: number;
}

/** A result with everything that a run of a closed loop leaves: histograms, series, utilization, waits, failures. */
export function buildFullResult(size: Size = {}, changes: Partial<Result> = {}): BuiltResult {
  const {
    workers = [10, 50, 100],
    pools = [1, 2],
    clients = ['ioredis', 'wire'],
    rounds = 6,
    seconds = 1,
  } = size;
  const random = seededRandom(3);
  const histograms = new Map(workers.map(level => [level, encodeLatencies(level, random)]));
  const scenarios = clients.flatMap(client =>
    workers.flatMap(workers =>
      pools.map(
        (pools): ScenarioResult =>
          buildScenario(
            { client, pools, workers },
            Array.from({ length: rounds }, (_, round) =>
              fullRound(round + 1, { seconds, workers, histograms: histograms.get(workers) }, random),
            ),
          ),
      ),
    ),
  );
  return buildResult(scenarios, changes);
}

/** Those of one level of workers are alike in all rounds: to encode one takes a millisecond. */
function encodeLatencies(workers: number, random: () => number): RoundResult['histograms'] {
  const latencies = Array.from({ length: 400 }, () => (0.1 + random() ** 8 * 3) * (workers / 10));
  return { service: encodeHistogram(latencies.map(ms => ms * 0.9)), response: encodeHistogram(latencies) };
}

interface Window {
  readonly seconds: number;
  readonly workers: number;
  readonly histograms: RoundResult['histograms'] | undefined;
}

function fullRound(
  round: number,
  { seconds, workers, histograms }: Window,
  random: () => number,
): RoundResult {
  const perSecond = 20_000 + Math.round(random() * 10_000);
  const base = buildRound(round, perSecond);
  const times = { count: 50, mean: 0.4, p50: 0.3 + random(), p99: 1.2 + random(), max: 2.5 };
  return {
    ...base,
    seconds,
    completed: perSecond * seconds,
    issued: perSecond * seconds + 3,
    failed: { TIMEOUT: 3 },
    histograms: histograms ?? base.histograms,
    poolMetrics: {
      ...base.poolMetrics,
      acquireWait: times,
      connectTime: times,
      utilization: Array.from({ length: seconds * 10 }, (_, slot) => {
        const active = Math.round(workers * random());
        return {
          atMs: slot * 100,
          active,
          idle: workers * 2 - active,
          waiting: Math.round(3 * random()),
          total: workers * 2,
        };
      }),
    },
    series: Array.from({ length: seconds }, (_, second) => ({
      second,
      completed: perSecond + Math.round(random() * 1000),
      failed: second === 0 ? 3 : 0,
      p50: 0.1 + random() * 0.1,
      p99: 1 + random(),
    })),
  };
}
