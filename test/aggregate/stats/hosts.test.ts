import { expect, test } from 'vitest';
import type { Result } from '../../../src/aggregate/result.ts';
import { describeHosts, hostFigures, hostWarnings, joinHosts } from '../../../src/aggregate/stats/hosts.ts';

const host = { name: 'a', node: 'v20', os: 'Linux', cpu: 'X', cores: 4, threads: 2, roundTripMs: 0.2 };
const part = {
  name: 'a',
  threads: 2,
  cores: 1,
  machineBusyShare: 0.5,
  clockBoundMs: 0.1,
  leadMs: 28,
  startLagMs: 0.4,
};

function resultOf(hosts: object[], rounds: object[][], kind = 'closed') {
  const scenarios = [
    { id: 'wire', arrival: { kind }, rounds: rounds.map(parts => ({ seconds: 0.25, hosts: parts })) },
  ];
  return { hosts, scenarios } as unknown as Pick<Result, 'hosts' | 'scenarios'>;
}

const other = { ...host, name: 'b' };
const ofOther = { ...part, name: 'b' };

test('equal agents that start in time give no warning, and no agents no figures', () => {
  const result = resultOf([host, other], [[part, ofOther]]);
  expect(hostWarnings(result)).toEqual([]);
  expect(hostFigures(resultOf([], []))).toEqual([]);
  expect(hostWarnings({ scenarios: [] })).toEqual([]);
});

test('figures are medians, and of clock, lead and start lag the worst; an agent without a part has none', () => {
  const rounds = [
    [part],
    [{ ...part, cores: 3, clockBoundMs: 0.3, leadMs: 12, startLagMs: 2 }],
    [{ ...part, cores: 2 }],
  ];
  expect(hostFigures(resultOf([host, other], rounds))).toMatchObject([
    { name: 'a', coresUsed: 2, busyRatio: 0.5, maxBoundMs: 0.3, minLeadMs: 12, maxStartLagMs: 2 },
    { name: 'b', coresUsed: null, busyRatio: null, maxBoundMs: null, minLeadMs: null, maxStartLagMs: null },
  ]);
});

test.each([
  ['another CPU', { cpu: 'Y' }, {}, 'closed', /their CPU/],
  ['another Node', { node: 'v22' }, {}, 'closed', /version of Node/],
  ['a longer way', { roundTripMs: 0.26 }, {}, 'closed', /round trips/],
  ['an inexact clock in an open loop', {}, { clockBoundMs: 1.5 }, 'constant', /clocks/],
  ['a late word', {}, { leadMs: 4 }, 'closed', /only 4/],
])('%s is a warning', (_, ofHost, ofPart, kind, expected) => {
  const result = resultOf([host, { ...other, ...ofHost }], [[part, { ...ofOther, ...ofPart }]], kind);
  const warnings = hostWarnings(result);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(expected);
});

test('an inexact clock in a closed loop, and a slightly longer way, are none', () => {
  const result = resultOf([host, { ...other, roundTripMs: 0.24 }], [[part, { ...ofOther, clockBoundMs: 3 }]]);
  expect(hostWarnings(result)).toEqual([]);
});

test('threads that begin later than a tenth of the window are a warning with the scenario, how often, and the largest', () => {
  const late = (startLagMs: number) => [part, { ...ofOther, startLagMs }];
  expect(hostWarnings(resultOf([host, other], [late(24), late(25)]))).toEqual([]);
  expect(hostWarnings(resultOf([host, other], [late(299), late(1), late(26)]))).toEqual([
    'threads of wire began late in the window on an agent in 2 of 3 measurements: by up to 299 ms, with a window of 250 ms; use a longer window (--seconds), or agents with more idle cores',
  ]);
});

test('a start that is late within the warm-up touches no window', () => {
  const late = (startLagMs: number) => ({
    ...resultOf([host, other], [[part, { ...ofOther, startLagMs }]]),
    scenarios: resultOf([], [[part, { ...ofOther, startLagMs }]]).scenarios.map(scenario => ({
      ...scenario,
      rounds: scenario.rounds.map(round => ({ ...round, warmup: { seconds: 0.5, grown: true } })),
    })),
  });
  expect(hostWarnings(late(500))).toEqual([]);
  expect(hostWarnings(late(540))[0]).toMatch(/by up to 40\.0 ms/);
});

test('of a resumed run all agents are kept, once each; those that left are not counted as alike', () => {
  const again = { ...host, roundTripMs: 0.3 };
  const joined = joinHosts([host, other], [again]);
  expect(joined).toEqual([again, { ...other, left: true }]);
  expect(describeHosts(joined)).toBe('1 × X, 4 cores, Node v20');
  expect(joinHosts(joined, [other])).toEqual([other, { ...again, left: true }]);
});

test('agents that are alike are counted, whatever their order', () => {
  const unlike = { ...host, name: 'c', cpu: 'W', cores: 1 };
  expect(describeHosts([host, unlike, other])).toBe('1 × W, 1 core, Node v20; 2 × X, 4 cores, Node v20');
  expect(describeHosts([unlike, other, host])).toBe(describeHosts([host, unlike, other]));
});
