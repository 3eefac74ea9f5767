import { expect, test } from 'vitest';
import type { ClaimResult } from '../../src/aggregate/result.ts';
import { judgeThresholds } from '../../src/aggregate/thresholds/judge-thresholds.ts';
import { inMarkdown, onTerminal } from '../support/documents.ts';
import { buildOpenLoop } from '../support/open-loop-round.ts';
import { buildLatency, buildResult, buildRound, buildScenario } from '../support/result-builder.ts';

/** A scenario whose response p99 is 2.5 × this in the median round. */
const scenarioOf = (id: string, p50s: readonly number[], ops = 1000) =>
  buildScenario(
    // So few that each makes 1000 cycles.
    { id, workers: 1 },
    p50s.map((p50, round) => buildRound(round, ops, { response: buildLatency(ops, p50) })),
  );

const fast = scenarioOf('fast', [0.4, 0.1, 4]);
const slow = scenarioOf('slow', [2, 4, 8]);
const target = { standIn: false };
const judge = (thresholds: Record<string, string>, claims: readonly ClaimResult[] = []) =>
  judgeThresholds(thresholds, { target, scenarios: [fast, slow], claims });

test('a metric is held against the median round of every scenario', () => {
  expect(judge({ 'response.p99': '< 5ms' })).toEqual([
    { metric: 'response.p99', condition: '< 5ms', scenario: 'fast', value: 1, crossed: false },
    { metric: 'response.p99', condition: '< 5ms', scenario: 'slow', value: 10, crossed: true },
  ]);
});

test('with the id of a scenario before it, against that one alone; both thresholds of a scenario count', () => {
  const judged = judge({ 'response.p99': '< 20ms', 'slow: response.p99': '< 5ms' });
  expect(judged.map(({ scenario, crossed }) => [scenario, crossed])).toEqual([
    ['fast', false],
    ['slow', false],
    ['slow', true],
  ]);
});

test.each([
  ['response.mean', '< 1000us', false],
  ['response.p50', '<= 0.4ms', false],
  ['response.p50', '< 0.4ms', true],
  ['response.p50', '>= 400µs', false],
  ['response.p50', '> 0.0004 s', true],
  ['response.p95', '<0.73ms', false],
  ['response.p999', '< 2.3ms', true],
  ['service.p50', '< 10ms', true],
  ['service.p99', '< 25.5ms', false],
  ['opsPerSecond', '> 1000', true],
  ['opsPerSecond', '>= 1000', false],
  ['failedShare', '< 0.1%', false],
  ['clientMicrosPerOp', '< 1000', true],
  ['clientMicrosPerOp', '<= 1000 \u03bcs', false],
])('%s %s is crossed: %s', (metric, condition, crossed) => {
  const [judged] = judge({ [`fast: ${metric}`]: condition });
  expect(judged).toMatchObject({ metric, condition, scenario: 'fast', crossed });
});

test('failedShare is that of all rounds together', () => {
  const rounds = [0, 1].map(round =>
    buildRound(round, 999, { issued: 1000, completed: 1000 - 2 * round, failed: { TIMEOUT: 2 * round } }),
  );
  const scenarios = [buildScenario({ id: 'lossy' }, rounds)];
  const held = (condition: string) =>
    judgeThresholds({ failedShare: condition }, { target, scenarios, claims: [] });
  expect(held('<= 0.1%')).toMatchObject([{ value: 0.001, crossed: false }]);
  expect(held('< 0.001')).toMatchObject([{ value: 0.001, crossed: true }]);
});

test('the time of deliveries is marked, and meets nothing, if messages were lost', () => {
  const losing = (lost: number) => {
    const arrived = { expected: 1000, received: 1000 - lost, lost, latency: buildLatency(1000 - lost, 1) };
    const rounds = [buildRound(1, 1000, { deliveries: { subscribers: 1, closed: 0, ...arrived } })];
    const scenarios = [buildScenario({ id: 'published' }, rounds)];
    const judged = judgeThresholds({ 'delivery.p99': '< 5ms' }, { target, scenarios, claims: [] });
    return { judged, report: inMarkdown.result(buildResult(scenarios, { claims: [] })) };
  };
  const [all, half] = [losing(0), losing(500)];
  expect(all.judged).toMatchObject([{ value: 2.5, crossed: false }]);
  expect(all.report).toContain('| 1,000 | 0 | 1.00 | 2.50 |');
  expect(half.judged).toMatchObject([{ value: 2.5, crossed: true, caveat: 'lower bound' }]);
  expect(half.report).toContain('| 1,000 | 500 | ≥1.00 | ≥2.50 |');
});

test('completedShare is asked of open loops only', () => {
  const rounds = [980, 1000].map((completed, round) =>
    buildRound(round, completed, { openLoop: buildOpenLoop(1000, { completed }) }),
  );
  const open = buildScenario({ id: 'open', arrival: { kind: 'poisson', rate: 1000 } }, rounds);
  const scenarios = [fast, open];
  expect(judgeThresholds({ completedShare: '>= 99%' }, { target, scenarios, claims: [] })).toEqual([
    { metric: 'completedShare', condition: '>= 99%', scenario: 'open', value: 0.99, crossed: false },
  ]);
});

test('a median of rounds is a lower bound if half of them are, however few operations those have', () => {
  const judge = (stalled: number) => {
    const rounds = Array.from({ length: 10 }, (_, index) =>
      index < stalled
        ? buildRound(index + 1, 50, { issued: 51, unfinished: 1, response: buildLatency(50, 1) })
        : buildRound(index + 1, 20_000, { response: buildLatency(20_000, 1) }),
    );
    const measured = { scenarios: [buildScenario({ workers: 1 }, rounds)], claims: [] };
    return judgeThresholds({ 'response.p99': '< 5ms' }, { target: { standIn: false }, ...measured });
  };
  expect(judge(4)).toMatchObject([{ crossed: false }]);
  expect(judge(5)).toMatchObject([{ value: 2.5, crossed: true, caveat: 'lower bound' }]);
});

test('fewer lower bounds raise a median by some ranks, and a limit in between is not surely met', () => {
  const rounds = [1, 2, 3, 4, 5, 6, 7].map(ms =>
    buildRound(ms, 1000, { response: buildLatency(1000, ms / 2.5), unfinished: ms <= 2 ? 1 : 0 }),
  );
  const scenarios = [buildScenario({ id: 'some', workers: 1 }, rounds)];
  const held = (condition: string) =>
    judgeThresholds({ 'response.p99': condition }, { target, scenarios, claims: [] })[0];
  const bound = { value: expect.closeTo(4), caveat: 'lower bound' };
  expect(held('< 4.5ms')).toMatchObject({ ...bound, crossed: true });
  expect(held('< 5.5ms')).toMatchObject({ ...bound, crossed: true });
  expect(held('< 6.5ms')).toMatchObject({ ...bound, crossed: false });
  expect(held('> 3.5ms')).toMatchObject({ ...bound, crossed: false });
});

test('a lower bound beyond the median leaves it as it is', () => {
  const rounds = [1, 2, 3].map(ms =>
    buildRound(ms, 1000, { response: buildLatency(1000, ms / 2.5), unfinished: ms === 3 ? 100 : 0 }),
  );
  const scenarios = [buildScenario({ id: 'one', workers: 1 }, rounds)];
  const [judged] = judgeThresholds({ 'response.p99': '< 2.5ms' }, { target, scenarios, claims: [] });
  expect(judged).toEqual({
    ...{ metric: 'response.p99', condition: '< 2.5ms', scenario: 'one' },
    ...{ value: expect.closeTo(2), crossed: false },
  });
});

test('a latency that is a lower bound meets no upper limit, and is no reason to cross the others', () => {
  const openLoop = buildOpenLoop(1000, { completed: 990 });
  const counts = { issued: 1000, completed: 990, failed: { TIMEOUT: 10 } };
  const rounds = [buildRound(1, 990, { ...counts, response: buildLatency(990, 0.4), openLoop })];
  const scenarios = [buildScenario({ id: 'open', arrival: { kind: 'poisson', rate: 1000 } }, rounds)];
  const thresholds = { 'response.p99': '< 5ms', opsPerSecond: '> 900' };
  expect(judgeThresholds(thresholds, { target, scenarios, claims: [] })).toMatchObject([
    { value: 1, crossed: true },
    { crossed: false },
  ]);
  const held = (condition: string) =>
    judgeThresholds({ 'response.p99': condition }, { target, scenarios, claims: [] });
  // What is at least 1 ms is above 0.5 ms, and perhaps above 2 ms.
  expect(['> 0.5ms', '> 2ms'].flatMap(held).map(({ crossed }) => crossed)).toEqual([false, true]);
});

test('what a stand-in was measured for meets nothing that is asked of the declared server', () => {
  const measured = { target: { standIn: true }, scenarios: [fast], claims: [] };
  expect(judgeThresholds({ opsPerSecond: '> 10' }, measured)).toMatchObject([{ crossed: true }]);
});

test('what was not measured, and a claim that was not tested, count as crossed', () => {
  const scenarios = [
    buildScenario({ id: 'unmeasured' }, []),
    buildScenario({ id: 'dead' }, [buildRound(1, 0)]),
  ];
  const { claims } = buildResult(scenarios);
  const thresholds = { 'response.p99': '< 5ms', 'claim.C1': 'supported', 'claim.C0': 'supported' };
  const judged = judgeThresholds(thresholds, { target, scenarios, claims });
  expect(judged.map(({ value, crossed }) => [value, crossed])).toEqual([
    [null, true],
    [null, true],
    ['not tested', true],
    [null, true],
  ]);
  const text = onTerminal.result(buildResult(scenarios, { thresholds: judged }));
  expect(text).toMatch(/^crossed +response\.p99 < 5ms: .* in unmeasured$/m);
  expect(text).toMatch(/^crossed +claim\.C1 supported: not tested$/m);
  expect(text).toMatch(/^crossed +claim\.C0 supported: /m);
});

test('a claim is held to the verdict that is asked for', () => {
  const { claims } = buildResult([fast]);
  const supported = claims.map(claim => ({ ...claim, verdict: 'supported' as const }));
  expect(judge({ 'claim.C1': 'supported' }, supported)).toEqual([
    { metric: 'claim.C1', condition: 'supported', scenario: null, value: 'supported', crossed: false },
  ]);
  expect(judge({ 'claim.C1': 'refuted' }, supported)).toMatchObject([{ crossed: true }]);
});

test('reports list crossed ones first, with their values; met ones are counted', () => {
  const thresholds = judge({ opsPerSecond: '> 10', 'response.p99': '< 9.999ms' });
  const result = buildResult([fast, slow], { thresholds });
  const text = onTerminal.result(result);
  expect(text).toContain('1 of 4 ');
  // 10.0 would look like a limit that is kept to.
  expect(text.match(/^(crossed|met) .*$/gm)).toEqual([
    expect.stringMatching(/^crossed +response\.p99 < 9\.999ms: 10 ms /),
    expect.stringMatching(/^met +opsPerSecond > 10: 1\.00k ops\/s in 2 /),
    expect.stringMatching(/^met +response\.p99 < 9\.999ms: 1\.00 ms /),
  ]);
  const rows = inMarkdown.result(result).split('\n');
  const first = rows.findIndex(row => row.startsWith('| crossed |'));
  expect(
    rows.slice(first, first + 4).map(row =>
      row
        .split('|')
        .map(cell => cell.trim())
        .slice(1, -1),
    ),
  ).toEqual([
    ['crossed', 'response.p99', '&lt; 9.999ms', '10 ms', 'slow'],
    ['met', 'opsPerSecond', '&gt; 10', '1.00k ops/s', 'fast'],
    ['met', 'opsPerSecond', '&gt; 10', '1.00k ops/s', 'slow'],
    ['met', 'response.p99', '&lt; 9.999ms', '1.00 ms', 'fast'],
  ]);
});

test('a value next to its limit has so many digits that it is seen to be crossed', () => {
  const [judged] = judgeThresholds(
    { 'response.p99': '< 5ms' },
    { target, scenarios: [scenarioOf('near', [2.0004])], claims: [] },
  );
  const text = onTerminal.result(buildResult([], { thresholds: judged === undefined ? [] : [judged] }));
  expect(text).toMatch(/^crossed .* 5\.001 ms in near$/m);
});

test('a run that did not finish notes that it judged none', () => {
  const config = { thresholds: { opsPerSecond: '> 10' } };
  const unfinished = buildResult([fast], { complete: false, config });
  expect(onTerminal.result(unfinished)).toMatch('Thresholds: not judged');
  expect(inMarkdown.result(unfinished)).toMatch('Thresholds: not judged');
  expect(onTerminal.result(buildResult([fast], { config: {} }))).not.toMatch('hreshold');
});
