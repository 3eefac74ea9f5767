import { describe, expect, test } from 'vitest';
import type { CpuUse, OpenLoopResult, RoundResult } from '../../../src/aggregate/result.ts';
import type { Surroundings } from '../../../src/aggregate/stats/limited-by.ts';
import { limitedBy } from '../../../src/aggregate/stats/limited-by.ts';
import { buildOpenLoop } from '../../support/open-loop-round.ts';
import { buildLatency, buildRound } from '../../support/result-builder.ts';

describe('limit is named with its figures', () => {
  type Strain = CpuUse['threads'][number];

  interface Case {
    readonly when: string;
    readonly resource: string;
    readonly cpu?: Partial<CpuUse>;
    /** One a thread; the default is one thread that tells nothing. */
    readonly strains?: readonly Partial<Strain>[];
    readonly surroundings?: Partial<Surroundings>;
    readonly responseMs?: number;
    readonly basePingMs?: number | null;
    /** With what the evidence begins. */
    readonly evidence?: string;
  }

  const idle: CpuUse = {
    clientMicrosPerOp: 10,
    clientCores: 0.3,
    machineBusyShare: 0.07,
    eventLoopUtilization: [0.3],
    threads: [],
    serverCores: 0.2,
    serverMainThreadCores: 0.2,
  };
  const calm: Strain = {
    cores: 0.3,
    waitShare: 0.01,
    gcPauses: 0,
    gcMs: 0,
    gcLongestMs: 0,
    loopDelayP99Ms: 0.2,
    loopDelayMaxMs: 0.9,
  };
  const surroundings: Surroundings = { cores: 8, local: true, serverThreads: 1 };
  /** The label where nothing is saturated. */
  const unsaturated = 'none';

  type Measured = Omit<Case, 'when' | 'resource' | 'surroundings' | 'evidence'>;

  /** A round of 1 s in which service takes 1 ms. */
  function measure(
    { cpu = {}, strains = [], responseMs = 1, basePingMs = 0.4 }: Measured,
    round = 0,
  ): RoundResult {
    const latency = (mean: number) => ({ ...buildLatency(100, 1), mean });
    return buildRound(round, 100, {
      cpu: {
        ...idle,
        eventLoopUtilization: strains.length === 0 ? [0.3] : strains.map(() => 0.3),
        threads: strains.map(strain => ({ ...calm, ...strain })),
        ...cpu,
      },
      service: latency(1),
      response: latency(responseMs),
      basePingMs,
    });
  }

  const alone: Case[] = [
    {
      when: 'workers wait for half of their response time',
      resource: 'pool',
      responseMs: 2,
      evidence: '50 % of the response time (1.00 ms) before the connection; ',
    },
    { when: 'workers wait for less than half of it', resource: unsaturated, responseMs: 1.98 },
    {
      when: 'the thread has a core all the time',
      resource: 'client',
      strains: [{ cores: 0.97, waitShare: 0.02 }],
      evidence: 'thread 0.97 of a core, event loop 30 % busy; ',
    },
    {
      when: 'the thread has a core most of the time and waits for one the rest',
      resource: 'client',
      strains: [{ cores: 0.8, waitShare: 0.12 }],
    },
    { when: 'the thread is nearly busy', resource: unsaturated, strains: [{ cores: 0.87, waitShare: 0.02 }] },
    {
      when: 'the event loop is held up by something that takes no CPU',
      resource: 'client',
      cpu: { eventLoopUtilization: [0.99] },
      strains: [{ cores: 0.1 }],
    },
    {
      when: 'the event loop is busy and the platform tells nothing of the thread',
      resource: 'client',
      cpu: { eventLoopUtilization: [0.99] },
      evidence: 'thread event loop 99 % busy; ',
    },
    {
      when: 'one thread of three is busy, but not the median one',
      resource: unsaturated,
      cpu: { eventLoopUtilization: [0.5, 1, 0.4] },
      strains: [{ cores: 0.5 }, { cores: 1 }, { cores: 0.4 }],
      evidence: 'median of 3 threads 0.50 of a core, event loop 50 % busy (busiest 100 %)',
    },
    {
      when: 'two threads of three are busy',
      resource: 'client',
      cpu: { eventLoopUtilization: [0.95, 1, 0.4] },
    },
    {
      when: "the server's main thread is busy",
      resource: 'server',
      cpu: { serverMainThreadCores: 0.93, serverCores: 1.1 },
      strains: [{ cores: 0.6 }],
      evidence: 'server main thread 0.93 of a core; ',
    },
    {
      when: 'both are busy, the server more',
      resource: 'server',
      cpu: { serverMainThreadCores: 0.98 },
      strains: [{ cores: 0.93 }],
    },
    {
      when: 'both are busy, the thread more',
      resource: 'client',
      cpu: { serverMainThreadCores: 0.92 },
      strains: [{ cores: 0.99 }],
    },
    {
      when: 'a server without a main thread uses all of its threads',
      resource: 'server',
      cpu: { serverMainThreadCores: null, serverCores: 3.7 },
      surroundings: { serverThreads: 4 },
      evidence: 'server 3.70 cores with 4 threads; ',
    },
    {
      when: 'such a server uses some of its threads',
      resource: unsaturated,
      cpu: { serverMainThreadCores: null, serverCores: 3.5 },
      surroundings: { serverThreads: 4 },
    },
    {
      when: 'the server does not tell its CPU and the client is idle',
      resource: 'unknown',
      cpu: { serverCores: null, serverMainThreadCores: null },
      evidence: 'server CPU not known; ',
    },
    {
      when: 'the server does not tell its CPU and the client is busy',
      resource: 'client',
      cpu: { serverCores: null, serverMainThreadCores: null, eventLoopUtilization: [0.99] },
    },
  ];

  const overTime: Case[] = [
    {
      when: 'a PING takes half of the time for a batch',
      resource: 'network',
      basePingMs: 0.5,
      evidence: '1.00 ms a batch, a PING before the load 0.500 ms: the time is round trips; ',
    },
    {
      when: 'a PING takes as long, and the server does not tell its CPU',
      resource: 'network',
      basePingMs: 0.5,
      cpu: { serverCores: null, serverMainThreadCores: null },
    },
    {
      when: 'client and server have a core for that time between them',
      resource: unsaturated,
      basePingMs: 0.5,
      cpu: { serverMainThreadCores: 0.35 },
      strains: [{ cores: 0.5 }],
      evidence:
        'thread 0.50 of a core, event loop 30 % busy, server main thread 0.35 of a core: neither was busy all the time, they waited for each other; ',
    },
    {
      when: 'the same takes that time over a network',
      resource: 'network',
      basePingMs: 0.5,
      cpu: { serverMainThreadCores: 0.35 },
      strains: [{ cores: 0.5 }],
      surroundings: { local: false },
    },
    {
      when: 'a batch takes many PINGs and nobody works',
      resource: 'server',
      basePingMs: 0.1,
      cpu: { serverMainThreadCores: 0.02 },
      strains: [{ cores: 0.03 }],
      evidence:
        '1.00 ms a batch, a PING before the load 0.100 ms, server main thread 0.02 of a core: it took its time without using a core, ' +
        'as when it sleeps, waits for its disk or serves others; ',
    },
    {
      when: 'a batch takes many PINGs and both work',
      resource: unsaturated,
      basePingMs: 0.1,
      strains: [{ cores: 0.4 }],
    },
    {
      when: 'a batch takes many PINGs over a network and nobody works',
      resource: 'server',
      basePingMs: 0.1,
      cpu: { serverMainThreadCores: 0.02 },
      strains: [{ cores: 0.03 }],
      surroundings: { local: false },
      evidence:
        '1.00 ms a batch, a PING before the load 0.100 ms, server main thread 0.02 of a core: it took its time without using a core, ' +
        'or the network is slower under load; ',
    },
    {
      when: 'no PING was answered and nobody works',
      resource: unsaturated,
      basePingMs: null,
      evidence: 'thread event loop 30 % busy, server main thread 0.20 of a core: nothing was saturated; ',
    },
  ];

  const shared: Case[] = [
    {
      when: 'threads are ready and have no core',
      resource: 'machine',
      cpu: { clientCores: 1, serverMainThreadCores: 0.68, machineBusyShare: 0.86 },
      strains: [
        { cores: 0.43, waitShare: 0.31 },
        { cores: 0.55, waitShare: 0.16 },
      ],
      surroundings: { cores: 2 },
      evidence:
        'threads ready without a core 24 % of the time, machine 86 % busy (client 1.00, server 0.20 of 2 cores); ',
    },
    {
      when: 'the same happens while half of the cores idle: a thread and the server share one by choice',
      resource: unsaturated,
      cpu: { machineBusyShare: 0.5, serverMainThreadCores: 0.47, eventLoopUtilization: [0.97] },
      strains: [{ cores: 0.53, waitShare: 0.36 }],
      surroundings: { cores: 2 },
    },
    {
      when: 'threads are ready and have no core, and the server is elsewhere',
      resource: 'machine',
      cpu: { machineBusyShare: 0.97 },
      strains: [{ cores: 0.5, waitShare: 0.4 }],
      surroundings: { cores: 2, local: false },
      evidence: 'thread ready without a core 40 % of the time, machine 97 % busy (client 0.30 of 2 cores); ',
    },
    {
      when: 'the server is busy on a machine without an idle core',
      resource: 'server',
      cpu: { machineBusyShare: 0.99, serverMainThreadCores: 0.96 },
      strains: [{ cores: 0.1, waitShare: 0.25 }],
      surroundings: { cores: 2 },
    },
    {
      when: 'client and server want three of two cores, and the platform tells nothing of threads',
      resource: 'machine',
      cpu: {
        clientCores: 1.2,
        serverCores: 0.7,
        serverMainThreadCores: 0.7,
        eventLoopUtilization: [0.95, 0.95],
      },
      surroundings: { cores: 2 },
    },
    {
      when: 'they want two of two',
      resource: 'client',
      cpu: { clientCores: 1, serverCores: 0.86, serverMainThreadCores: 0.86, eventLoopUtilization: [0.99] },
      surroundings: { cores: 2 },
    },
    {
      when: 'they would want three of two, but the server is elsewhere',
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
      cpu: { clientCores: 0.9, serverCores: 0.5, machineBusyShare: 0.97 },
      strains: [{ cores: 0.8, waitShare: 0.12 }],
      surroundings: { cores: 2 },
      evidence: 'machine 97 % busy (client 0.90, server 0.50 of 2 cores), ',
    },
    {
      when: 'a neighbour takes the cores, and the server works a lot',
      resource: 'machine',
      cpu: { serverCores: 0.6, serverMainThreadCores: 0.6, machineBusyShare: 0.99 },
      strains: [{ cores: 0.1, waitShare: 0.05 }],
      basePingMs: 0.9,
      surroundings: { cores: 2 },
    },
    {
      when: 'a neighbour takes cores that nobody needs',
      resource: 'network',
      cpu: { machineBusyShare: 0.97 },
      strains: [{ cores: 0.1, waitShare: 0.05 }],
      basePingMs: 0.9,
      surroundings: { cores: 2 },
    },
  ];

  for (const { when, resource, evidence, surroundings: changes, ...figures } of [
    ...alone,
    ...overTime,
    ...shared,
  ]) {
    test(`limited by ${resource} when ${when}`, () => {
      const found = limitedBy([measure(figures)], { ...surroundings, ...changes });
      expect(found.resource).toBe(resource);
      if (evidence !== undefined) expect(found.evidence.slice(0, evidence.length)).toBe(evidence);
    });
  }

  test('every known figure is in the evidence, the deciding one first', () => {
    const round = measure({ strains: [{ cores: 0.3, waitShare: 0.02 }], responseMs: 2.5 });
    const waited = { ...round, poolMetrics: { ...round.poolMetrics, peakWaiting: 18 } };
    expect(limitedBy([waited], surroundings).evidence).toBe(
      '60 % of the response time (1.50 ms) before the connection, up to 18 waiting; ' +
        'thread 0.30 of a core, event loop 30 % busy, thread ready without a core 2.0 % of the time, ' +
        'server main thread 0.20 of a core, 1.00 ms a batch, a PING before the load 0.400 ms, ' +
        'machine 7.0 % busy (client 0.30, server 0.20 of 8 cores)',
    );
  });

  test('pauses and a late event loop are told where they matter', () => {
    const evidenceOf = (strain: Partial<Strain>) =>
      limitedBy([measure({ strains: [calm, { cores: 0.97, ...strain }] })], surroundings).evidence;
    const few = evidenceOf({ gcMs: 49, gcLongestMs: 20, loopDelayP99Ms: 9.9 });
    expect(few).not.toContain('garbage');
    expect(few).not.toContain('late');
    expect(evidenceOf({ gcMs: 70, gcLongestMs: 20, loopDelayP99Ms: 21 })).toContain(
      'garbage collection 7.0 % of the time, 20.0 ms at most, event loop 21.0 ms late (p99)',
    );
  });

  test('one odd round does not decide', () => {
    const busy = { strains: [{ cores: 0.99 }] };
    const rounds = [measure(busy, 0), measure(busy, 1), measure({}, 2)];
    expect(limitedBy(rounds, surroundings).resource).toBe('client');
  });

  test('unknown when nothing was measured or nothing completed', () => {
    expect(limitedBy([], surroundings).resource).toBe('unknown');
    expect(limitedBy([buildRound(0, 0, { issued: 5, failed: { OOM: 5 } })], surroundings).resource).toBe(
      'unknown',
    );
  });
});

describe('limit of an open loop counts spinning as idle', () => {
  const surroundings = { cores: 8, local: true, serverThreads: 1 };

  /** A round of an open loop whose thread has a core all the time, 60 % of it spun, and a server that works a little. */
  function measure(
    openLoop: Partial<OpenLoopResult> = {},
    { cpu = {}, ...changes }: Partial<Omit<RoundResult, 'cpu'>> & { cpu?: Partial<CpuUse> } = {},
  ): RoundResult {
    const usual = buildRound(0, 1000);
    const strain = { cores: 0.98, waitShare: 0.01, gcPauses: 0, gcMs: 0, gcLongestMs: 0 };
    return {
      ...usual,
      service: buildLatency(1000, 1),
      response: buildLatency(1000, 1),
      openLoop: buildOpenLoop(1000, openLoop),
      ...changes,
      cpu: {
        ...usual.cpu,
        clientCores: 1,
        machineBusyShare: 0.2,
        eventLoopUtilization: [1],
        threads: [{ ...strain, loopDelayP99Ms: 0.1, loopDelayMaxMs: 0.2 }],
        serverCores: 0.2,
        serverMainThreadCores: 0.2,
        ...cpu,
      },
    };
  }

  const limitOf = (round: RoundResult) => limitedBy([round], surroundings);

  test('a thread that spins until the next arrival is not busy: the rate was kept, so nothing limited it', () => {
    const { resource, evidence } = limitOf(measure());
    expect(resource).toBe('none');
    expect(evidence).toContain(
      'thread 0.38 of a core, event loop 40 % busy (and 60 % spun until the next arrival)',
    );
    expect(evidence).toContain('the rate was kept');
  });

  test('a thread that works all the time is, in an open loop as in a closed one', () => {
    expect(limitOf(measure({ spinShare: 0.02 })).resource).toBe('client');
    expect(limitOf({ ...measure(), openLoop: null }).resource).toBe('client');
  });

  test('a server that is busy limits an overloaded open loop, and the backlog is told', () => {
    const short = { completed: 500, shortfall: 500, unsent: 450, largestBacklog: 460 };
    const { resource, evidence } = limitOf(measure(short, { cpu: { serverMainThreadCores: 0.97 } }));
    expect(resource).toBe('server');
    expect(evidence).toContain('up to 460 due while all workers were busy');
  });

  test('waiting for a worker is not waiting for the pool', () => {
    const response = buildLatency(1000, 100);
    const overloaded = { completed: 500, shortfall: 500, unsent: 450, largestBacklog: 460 };
    expect(limitOf(measure(overloaded, { response })).resource).not.toBe('pool');
    const { poolMetrics } = buildRound(0, 1000);
    const acquireWait = { count: 1000, mean: 80, p50: 80, p99: 100, max: 100 };
    expect(
      limitOf(measure(overloaded, { response, poolMetrics: { ...poolMetrics, acquireWait } })).resource,
    ).toBe('pool');
  });

  test('an open loop that is short although nobody is busy is explained as a closed one', () => {
    const round = measure({ completed: 500, shortfall: 500 }, { basePingMs: 0.9 });
    expect(limitOf({ ...round, cpu: { ...round.cpu, serverMainThreadCores: 0.05 } }).resource).toBe(
      'network',
    );
  });
});
