import { expect, test } from 'vitest';
import { limitedBy, type Surroundings } from '../src/aggregate/bottleneck.ts';
import type { CpuUse, RoundResult } from '../src/aggregate/result.ts';
import { buildLatency, buildRound } from './support/result-builder.ts';

interface Case {
  readonly when: string;
  readonly resource: string;
  readonly cpu?: Partial<CpuUse>;
  readonly surroundings?: Partial<Surroundings>;
  readonly responseMs?: number;
  readonly evidence?: string;
}

const idle: CpuUse = {
  clientMicrosPerOp: 10,
  clientCores: 0.3,
  machineBusyShare: 0.07,
  eventLoopUtilization: [0.3],
  serverCores: 0.2,
  serverMainThreadCores: 0.2,
};
const surroundings: Surroundings = { cores: 8, local: true, serverThreads: 1 };

/** Service takes 1 ms. */
function measure({ cpu = {}, responseMs = 1 }: Pick<Case, 'cpu' | 'responseMs'>, round = 0): RoundResult {
  const latency = (mean: number) => ({ ...buildLatency(100, 1), mean });
  return buildRound(round, 100, {
    cpu: { ...idle, ...cpu },
    service: latency(1),
    response: latency(responseMs),
  });
}

const cases: Case[] = [
  {
    when: 'nothing is busy',
    resource: 'network',
    evidence: 'nothing was busy: the time is round trips on this machine',
  },
  {
    when: 'workers wait for half of their response time',
    resource: 'pool',
    responseMs: 2,
    evidence: '50 % of the response time (1.00 ms)',
  },
  { when: 'workers wait for less than half of it', resource: 'network', responseMs: 1.98 },
  {
    when: 'the event loop is busy',
    resource: 'client',
    cpu: { eventLoopUtilization: [0.99] },
    evidence: 'event loop 99 % busy',
  },
  { when: 'the event loop is nearly busy', resource: 'network', cpu: { eventLoopUtilization: [0.89] } },
  {
    when: 'one thread of three is busy, but not the median one',
    resource: 'network',
    cpu: { eventLoopUtilization: [0.5, 1, 0.4] },
    evidence: "busiest of 3 threads' event loops 100 % busy, median 50 %",
  },
  {
    when: 'two threads of three are busy',
    resource: 'client',
    cpu: { eventLoopUtilization: [0.95, 1, 0.4] },
  },
  {
    when: "the server's main thread is busy, and the client too",
    resource: 'server',
    cpu: { serverMainThreadCores: 0.93, serverCores: 1.1, eventLoopUtilization: [0.97] },
    evidence: 'server main thread 0.93 of a core',
  },
  {
    when: 'a server without a main thread uses all of its threads',
    resource: 'server',
    cpu: { serverMainThreadCores: null, serverCores: 3.7 },
    surroundings: { serverThreads: 4 },
    evidence: 'server 3.70 cores with 4 threads',
  },
  {
    when: 'such a server uses some of its threads',
    resource: 'network',
    cpu: { serverMainThreadCores: null, serverCores: 3.5 },
    surroundings: { serverThreads: 4 },
  },
  {
    when: 'client and server share two cores and want three',
    resource: 'machine',
    cpu: {
      clientCores: 1.2,
      serverCores: 0.7,
      serverMainThreadCores: 0.7,
      eventLoopUtilization: [0.95, 0.95],
    },
    surroundings: { cores: 2 },
    evidence: 'client 1.20 of 2 cores shared with the server',
  },
  {
    when: 'they share two cores and want two',
    resource: 'client',
    cpu: { clientCores: 1, serverCores: 0.86, serverMainThreadCores: 0.86, eventLoopUtilization: [0.99] },
    surroundings: { cores: 2 },
  },
  {
    when: 'the server is elsewhere',
    resource: 'client',
    cpu: {
      clientCores: 1.2,
      serverCores: 0.7,
      serverMainThreadCores: 0.7,
      eventLoopUtilization: [0.95, 0.95],
    },
    surroundings: { cores: 2, local: false },
  },
  {
    when: 'a neighbour takes the cores that client and server would need',
    resource: 'machine',
    cpu: { clientCores: 0.9, serverCores: 0.5, machineBusyShare: 0.97, eventLoopUtilization: [0.95] },
    evidence: 'machine 97 % busy',
    surroundings: { cores: 2 },
  },
  {
    when: 'the server does not tell its CPU and the client is idle',
    resource: 'unknown',
    cpu: { serverCores: null, serverMainThreadCores: null },
    evidence: 'server CPU not known',
  },
  {
    when: 'the server does not tell its CPU and the client is busy',
    resource: 'client',
    cpu: { serverCores: null, serverMainThreadCores: null, eventLoopUtilization: [0.99] },
  },
];

for (const { when, resource, evidence, surroundings: changes, ...figures } of cases) {
  test(`limited by ${resource} when ${when}`, () => {
    const found = limitedBy([measure(figures)], { ...surroundings, ...changes });
    expect(found.resource).toBe(resource);
    if (evidence !== undefined) expect(found.evidence).toContain(evidence);
  });
}

test('every known figure is in the evidence', () => {
  expect(limitedBy([measure({ responseMs: 1.25 })], surroundings).evidence).toBe(
    'event loop 30 % busy, server main thread 0.20 of a core, server 0.20 cores with 1 thread, ' +
      'client 0.30 of 8 cores shared with the server, machine 7.0 % busy, 20 % of the response time (0.250 ms) before the connection; ' +
      'nothing was busy: the time is round trips on this machine',
  );
});

test('only where nothing is busy, and the server is on this machine, round trips there are named', () => {
  const evidenceOf = (changes: Partial<Surroundings>, cpu: Partial<CpuUse> = {}) =>
    limitedBy([measure({ cpu })], { ...surroundings, ...changes }).evidence;
  expect(evidenceOf({ local: false })).not.toContain('nothing was busy');
  expect(evidenceOf({}, { eventLoopUtilization: [0.99] })).not.toContain('nothing was busy');
});

test('one odd round does not decide', () => {
  const busy = { cpu: { eventLoopUtilization: [0.99] } };
  const rounds = [measure(busy, 0), measure(busy, 1), measure({}, 2)];
  expect(limitedBy(rounds, surroundings).resource).toBe('client');
});

test('unknown when nothing was measured or nothing completed', () => {
  expect(limitedBy([], surroundings).resource).toBe('unknown');
  expect(limitedBy([buildRound(0, 0, { issued: 5, failed: { OOM: 5 } })], surroundings).resource).toBe(
    'unknown',
  );
});
