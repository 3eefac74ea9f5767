import { type ServerFigures, serverFieldNames } from '../../src/aggregate/stats/server-fields.ts';
import { LiveRun } from '../../src/main/live/live-run.ts';
import { RunMetrics } from '../../src/main/live/run-metrics.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import { encodeHistogram } from './encoded-histogram.ts';
import { buildLatency, buildRound, standInTarget } from './result-builder.ts';

/** The scenario of `runMetrics`, which is finished once, and measured again. */
export const step = {
  ...{ round: 1, rounds: 2, index: 1, total: 1, threads: 1, warmupSeconds: 0, seconds: 1 },
  suite: 'mixed',
  scenario: 'a "b"',
  populations: [{ name: 'bulk', threads: 1 }],
};
/** What was measured in it. */
export const latenciesMs = [0.04, 0.3, 20_000];

/** Every metric of a run with every label that it can have. */
export function runMetrics(): RunMetrics {
  const run = new LiveRun(() => 5e9);
  const metrics = new RunMetrics(() => run.snapshot());
  const follow = () => {
    const shared = SharedState.forThreads(2);
    run.follow({ ...step, course: { secondsDone: 0, secondsLeft: 1, measurementsLeft: 1 } }, shared);
    shared.openWindow(4e9);
    shared.release(4e9);
    for (const [thread, connections] of [8, 4].entries())
      shared.publish(thread, {
        ...{ atNs: 5e9, warmupCompleted: 0, warmupFailed: 0, completed: 0, failed: 0, p99Ms: 2.5 },
        ...{ busyNs: 0.25e9, cpuNs: 0.25e9, connections, idle: 3, waiting: 6 },
      });
    run.look();
  };
  metrics.meet('left', { ...standInTarget, unverified: true });
  const all = Object.fromEntries(serverFieldNames.map((name, index) => [name, index + 1])) as ServerFigures;
  metrics.served('left', { at: '2026-11-23T10:00:00.000Z', ...all });
  run.begin();
  follow();
  const latency = { ...buildLatency(latenciesMs.length, 1), mean: 6666.78 };
  const histogram = encodeHistogram(latenciesMs);
  const load = buildRound(1, latenciesMs.length, {
    ...{ service: latency, response: latency, failed: { OOM: 2 }, unfinished: 1 },
    histograms: { service: histogram, response: histogram },
  });
  const round = { ...load, populations: [{ ...load, name: 'bulk', completed: 7 }] };
  run.finished(round);
  metrics.finished(step, round);
  follow();
  return metrics;
}
