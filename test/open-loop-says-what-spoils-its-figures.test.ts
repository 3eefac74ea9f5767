import { expect, test } from 'vitest';
import { openLoopWarnings } from '../src/aggregate/stats/warnings.ts';
import { experimentSchema } from '../src/main/experiment/experiment.ts';
import { expandScenarios } from '../src/main/experiment/scenarios.ts';
import { warnOfMissingCores } from '../src/main/run/preflight-side.ts';
import { buildOpenScenario } from './support/open-loop-round.ts';
import { buildLatency, buildRound, buildScenario } from './support/result-builder.ts';

test('a generator that was itself late by more than 0.2 ms is told, with the scenario and the figure', () => {
  const late = (p99: number) => ({ openLoop: { lag: buildLatency(100, p99 / 2.5) } });
  const scenarios = [
    buildOpenScenario(1000, [1, 1, 1], late(0.2)),
    buildOpenScenario(2000, [1, 1, 1], late(0.35)),
    buildScenario({}, [buildRound(0, 100)]),
  ];
  const [warning = '', ...others] = openLoopWarnings(scenarios);
  expect(others).toEqual([]);
  expect(warning).toContain('late by more than 0.200 ms');
  expect(warning).toContain('constant2000 (p99 0.350 ms)');
  expect(warning).not.toContain('constant1000');
});

test('in a burst it is by nature, and told as such', () => {
  const scenario = buildOpenScenario(1000, [1, 1, 1], { openLoop: { lag: buildLatency(100, 1.6) } });
  const burst = { ...scenario, arrival: { kind: 'burst', rate: 1000, size: 100 } };
  expect(openLoopWarnings([burst])).toEqual([
    expect.stringMatching(
      /^A thread sends one batch of a burst after another; .*constant1000 \(p99 4\.00 ms\)/,
    ),
  ]);
});

test('percentiles without what was never sent are called lower bounds', () => {
  const unsent = { openLoop: { offered: 2000, unsent: 500, sent: 1500 } };
  expect(openLoopWarnings([buildOpenScenario(2000, [1], unsent), buildOpenScenario(10, [1])])).toEqual([
    'Operations that were due were not sent before the end, or not answered in time, so that the percentiles are lower bounds, in wire-optimized-1pool-50workers-constant2000 (25 %).',
  ]);
});

const scenariosOf = (group: object) =>
  expandScenarios(
    experimentSchema.parse({
      name: 'a',
      target: { server: 'redis', url: 'redis://h' },
      scenarios: [group],
    }).scenarios,
  );
const open = { arrival: { kind: 'constant', rate: 1 }, pools: [1, 2] };
const local = (threads: number | null) => ({ local: true, detected: { threads } });

test('threads and server that leave no core free are told before the load', () => {
  const scenarios = scenariosOf(open);
  expect(warnOfMissingCores(scenarios, local(2), 4)).toEqual([
    'an open loop keeps a core for each of its threads: 2 threads and 2 threads of the server leave none of 4 cores free, so whatever else runs here makes it late (its lag tells how much)',
  ]);
  expect(warnOfMissingCores(scenarios, local(1), 4)).toEqual([]);
  expect(warnOfMissingCores(scenarios, local(null), 3)).toHaveLength(1);
  expect(warnOfMissingCores(scenarios, { local: false, detected: { threads: 8 } }, 3)).toEqual([]);
  expect(warnOfMissingCores(scenariosOf({ pools: 2 }), local(1), 1)).toEqual([]);
});
