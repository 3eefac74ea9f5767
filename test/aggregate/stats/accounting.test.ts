import { describe, expect, test } from 'vitest';
import { answeredElsewhere, findImbalances } from '../../../src/aggregate/stats/accounting.ts';
import { finishedRounds } from '../../../src/aggregate/stats/rounds.ts';
import { latencyWarnings } from '../../../src/aggregate/stats/warnings.ts';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { extentsOf } from '../../../src/main/experiment/populations.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';
import { warnOfMissingCores } from '../../../src/main/run/preflight-side.ts';
import { inMarkdown, onTerminal } from '../../support/documents.ts';
import { buildOpenScenario } from '../../support/open-loop-round.ts';
import { buildLatency, buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';

describe('books of a run', () => {
  const imbalancesOf = (changes: Parameters<typeof buildRound>[2]) =>
    findImbalances(buildResult([buildScenario({ id: 'one' }, [buildRound(4, 1000, changes)])]));

  test('are not mentioned if they balance', () => {
    expect(imbalancesOf({})).toEqual([]);
    expect(imbalancesOf({ issued: 1010, failed: { OOM: 3, TIMEOUT: 2 }, unfinished: 5 })).toEqual([]);
  });

  test('miss an operation only by a defect of poolbench', () => {
    expect(imbalancesOf({ issued: 1010, failed: { OOM: 3 }, unfinished: 6 })).toEqual([
      expect.stringMatching(/^A defect of poolbench.* round 4 of one, 1,010 .* 1,009 /),
    ]);
    expect(imbalancesOf({ issued: 999 })).toHaveLength(1);
  });

  test("agree with the server's count between completed and issued, and 1 % off", () => {
    const lost = { issued: 1200, failed: { TIMEOUT: 200 } };
    expect(imbalancesOf({ ...lost, serverCalls: 1100 })).toEqual([]);
    expect(imbalancesOf({ ...lost, serverCalls: 1212 })).toEqual([]);
    expect(imbalancesOf({ ...lost, serverCalls: null })).toEqual([]);
    expect(imbalancesOf({ ...lost, serverCalls: 1213 })).toEqual([expect.stringContaining('1,213')]);
    expect(imbalancesOf({ ...lost, serverCalls: 989 })).toEqual([expect.stringContaining('989')]);
  });

  test('name the messages to subscribers that were lost', () => {
    const deliveries = {
      subscribers: 3,
      closed: 0,
      expected: 90,
      received: 90,
      lost: 0,
      latency: buildLatency(90, 1),
    };
    expect(imbalancesOf({ deliveries })).toEqual([]);
    expect(imbalancesOf({ deliveries: { ...deliveries, closed: 1, received: 50, lost: 40 } })).toEqual([
      expect.stringMatching(/40 of 90 .* round 4 of one: 1 of 3 subscribers/),
    ]);
  });

  test('of a script compare the commands that it sent with those that the server counted', () => {
    const script = (sent: number, server: number) => ({
      script: { commands: sent, counted: { sent, server }, steps: [], messages: {} },
    });
    expect(imbalancesOf(script(1000, 1005))).toEqual([]);
    expect(imbalancesOf(script(1000, 1100))).toEqual([expect.stringContaining('1,100')]);
    expect(imbalancesOf(script(1000, 900))).toEqual([expect.stringContaining('900')]);
    // What a lost connection had sent may not have arrived.
    expect(imbalancesOf({ ...script(1000, 900), issued: 1100, failed: { TIMEOUT: 100 } })).toEqual([]);
  });

  test('mention reads of primaries where all were to go to replicas', () => {
    const counted = (ofReplicas: number) => buildRound(1, 1000, { readCalls: { all: 500, ofReplicas } });
    const imbalances = (readFrom: string, ofReplicas: number) =>
      findImbalances(buildResult([buildScenario({ id: 'one', readFrom }, [counted(ofReplicas)])]));
    expect(imbalances('replica', 500)).toEqual([]);
    expect(imbalances('any', 250)).toEqual([]);
    expect(imbalances('replica', 250)).toEqual([expect.stringMatching(/50 % of the reads in one/)]);

    const ofPopulation = (readFrom: string) => {
      const round = buildRound(1, 1000, { populations: [{ ...counted(250), name: 'bulk' }] });
      const config = { populations: [{ name: 'bulk', readFrom }] };
      return findImbalances(buildResult([buildScenario({ id: 'one' }, [round])], { config }));
    };
    expect(ofPopulation('any')).toEqual([]);
    expect(ofPopulation('replica')).toEqual([
      expect.stringMatching(/50 % of the reads in one, population bulk/),
    ]);
  });

  test('beside populations compare the sum of all, and each load has to balance', () => {
    const together = (serverCalls: number, name = 'bulk', changes = {}) => ({
      serverCalls: null,
      populations: [{ ...buildRound(4, 500, changes), name }],
      together: { issued: 1500, completed: 1500, serverCalls },
    });
    expect(imbalancesOf(together(1500))).toEqual([]);
    expect(imbalancesOf(together(1000))).toEqual([expect.stringContaining('1,500')]);
    expect(imbalancesOf(together(1500, 'bulk', { issued: 501 }))).toEqual([
      expect.stringMatching(/defect .* round 4 of one, population bulk, 501 .* 500 /),
    ]);
  });

  test('say that another server answered if the server has counted less than was completed', () => {
    const [fewer] = imbalancesOf({ serverCalls: 500 });
    const [more] = imbalancesOf({ serverCalls: 2000 });
    expect(fewer).toContain('another server');
    expect(more).not.toContain('another server');
    expect(answeredElsewhere([buildRound(1, 1000, { serverCalls: 500 })])).toBe(true);
    expect(answeredElsewhere([buildRound(1, 1000, { serverCalls: 995 })])).toBe(false);
    expect(answeredElsewhere([buildRound(1, 1000, { serverCalls: null })])).toBe(false);
  });

  test('that do not balance are in both reports', () => {
    const result = buildResult([buildScenario({}, [buildRound(0, 1000, { issued: 1001 })])]);
    expect(onTerminal.result(result)).toContain('Warning: A defect of poolbench');
    expect(inMarkdown.result(result)).toContain('- A defect of poolbench');
  });
});

describe('rounds of a stopped run that are kept', () => {
  const plan = { idsIn: () => ['a', 'b'], seconds: 1 };

  function finished(rounds: Record<string, readonly (number | readonly [round: number, seconds: number])[]>) {
    const scenarios = Object.entries(rounds).map(([id, list]) =>
      buildScenario(
        { id },
        list.map(one => {
          const [round, seconds] = typeof one === 'number' ? [one, 1] : one;
          return buildRound(round, 1000, { seconds });
        }),
      ),
    );
    const { count, rounds: kept } = finishedRounds({ scenarios }, plan);
    return [count, [...kept].map(([id, list]) => [id, list.map(({ round }) => round)])];
  }

  test.each([
    ['none were measured', { a: [], b: [] }, 0],
    ['the last is missing for one', { a: [1, 2, 3], b: [1, 2] }, 2],
    ['one has never been measured', { a: [1], b: [] }, 0],
    ['a scenario is not there at all', { a: [1, 2] }, 0],
    ['the last was cut short', { a: [1, 2], b: [1, [2, 0.4]] }, 1],
    ['one in the middle was cut short', { a: [1, [2, 0.4], 3], b: [1, 2, 3] }, 1],
    ['threads were stopped some milliseconds apart', { a: [1, [2, 0.99]], b: [1, 2] }, 2],
  ] as const)('%s', (_, rounds, count) => {
    const kept = Array.from({ length: count }, (_, index) => index + 1);
    expect(finished(rounds)).toEqual([count, Object.keys(rounds).map(id => [id, kept])]);
  });
});

describe('warnings of an open loop', () => {
  test('name the scenario and the lag if the generator was late by more than 0.2 ms', () => {
    const late = (p99: number) => ({ openLoop: { lag: buildLatency(100, p99 / 2.5) } });
    const scenarios = [
      buildOpenScenario(1000, [1, 1, 1], late(0.2)),
      buildOpenScenario(2000, [1, 1, 1], late(0.35)),
      buildScenario({}, [buildRound(0, 100)]),
    ];
    const [warning = '', ...others] = latencyWarnings(scenarios);
    expect(others).toEqual([]);
    expect(warning).toContain('late by more than 0.200 ms');
    expect(warning).toContain('constant2000 (p99 0.350 ms)');
    expect(warning).not.toContain('constant1000');
  });

  test('explain the lag of a burst, which is larger', () => {
    const scenario = buildOpenScenario(1000, [1, 1, 1], { openLoop: { lag: buildLatency(100, 1.6) } });
    const burst = { ...scenario, arrival: { kind: 'burst', rate: 1000, size: 100 } };
    expect(latencyWarnings([burst])).toEqual([expect.stringMatching(/burst.*constant1000 \(p99 4\.00 ms\)/)]);
  });

  test('leave open whether the bursts of a recording or the generator caused its lag', () => {
    const scenario = buildOpenScenario(1000, [1, 1, 1], { openLoop: { lag: buildLatency(100, 1.6) } });
    const recorded = { ...scenario, arrival: { kind: 'recorded', rate: 1000, speed: 1 } };
    expect(latencyWarnings([recorded])).toEqual([
      expect.stringMatching(/constant1000 \(p99 4\.00 ms\).* bursts.* generator itself was late/),
    ]);
  });

  test('do not blame the generator for the lag of a load if a population shares its threads', () => {
    const scenario = buildOpenScenario(1000, [1, 1, 1], { openLoop: { lag: buildLatency(100, 1.6) } });
    const { summary, limitedBy } = scenario;
    const populations = [{ name: 'inside', sharesThreads: true as const, summary, limitedBy }];
    const [warning = '', ...others] = latencyWarnings([{ ...scenario, populations }]);
    expect(others).toEqual([]);
    expect(warning).toMatch(
      /0\.200 ms late in .*constant1000 \(p99 4\.00 ms\), whose threads also run populations/,
    );
  });

  test('call the p99 without what was never sent a lower bound', () => {
    const unsent = { openLoop: { offered: 2000, unsent: 500, sent: 1500 } };
    expect(latencyWarnings([buildOpenScenario(2000, [1], unsent), buildOpenScenario(10, [1])])).toEqual([
      expect.stringMatching(/ lower bound, .* in wire-optimized-1pool-50workers-constant2000 \(25 %\)\.$/),
    ]);
  });

  const extentsWith = (group: object, populations: readonly object[] = []) => {
    const experiment = experimentSchema.parse({
      name: 'a',
      target: { server: 'redis', url: 'redis://h' },
      scenarios: [group],
      populations,
    });
    return extentsOf({ experiment, scenarios: expandScenarios(experiment.scenarios) });
  };
  const open = { arrival: { kind: 'constant', rate: 1 }, pools: [1, 2] };
  const local = (threads: number | null) => ({ local: true, detected: { threads } });

  test('come before the load if threads and server leave no core free', () => {
    const extents = extentsWith(open);
    expect(warnOfMissingCores(extents, local(2), 4)).toEqual([
      expect.stringMatching(/ 2 threads and 2 threads .* 4 cores/),
    ]);
    expect(warnOfMissingCores(extents, local(1), 4)).toEqual([]);
    expect(warnOfMissingCores(extents, local(null), 3)).toHaveLength(1);
    expect(warnOfMissingCores(extents, { local: false, detected: { threads: 8 } }, 3)).toEqual([]);
    expect(warnOfMissingCores(extentsWith({ pools: 2 }), local(1), 1)).toEqual([]);
    const beside = extentsWith({ pools: 2, beside: 'slow' }, [{ ...open, name: 'slow', pools: 2 }]);
    expect(warnOfMissingCores(beside, local(1), 3)).toEqual([expect.stringMatching(/ 2 threads .* 3 cores/)]);
  });
});
