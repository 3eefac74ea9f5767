import { describe, expect, test } from 'vitest';
import type { CpuUse, OpenLoopResult, RoundResult } from '../../../src/aggregate/result.ts';
import type { LoadEnvironment } from '../../../src/aggregate/stats/limit-figures.ts';
import { limitedBy } from '../../../src/aggregate/stats/limited-by.ts';
import { buildOpenLoop } from '../../support/open-loop-round.ts';
import { buildLatency, buildRound } from '../../support/result-builder.ts';

describe('limit of a scenario', () => {
  type ThreadLoad = CpuUse['threads'][number];

  interface Case {
    readonly when: string;
    readonly resource: string;
    readonly cpu?: Partial<CpuUse>;
    /** One a thread; the default is one thread of which nothing is known. */
    readonly threads?: readonly Partial<ThreadLoad>[];
    readonly environment?: Partial<LoadEnvironment>;
    readonly responseMs?: number;
    readonly basePingMs?: number | null;
    readonly link?: RoundResult['link'];
    /** Figures in the first part of the evidence. */
    readonly evidence?: readonly string[];
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
  const calm: ThreadLoad = {
    cores: 0.3,
    waitShare: 0.01,
    gcPauses: 0,
    gcMs: 0,
    gcLongestMs: 0,
    loopDelayP99Ms: 0.2,
    loopDelayMaxMs: 0.9,
  };
  const environment: LoadEnvironment = { cores: 8, local: true, serverThreads: 1 };
  /** The label where nothing is saturated. */
  const unsaturated = 'none';

  type Measured = Omit<Case, 'when' | 'resource' | 'environment' | 'evidence'>;

  /** A round of 1 s in which service takes 1 ms. */
  function measure(
    { cpu = {}, threads = [], responseMs = 1, basePingMs = 0.4, link = null }: Measured,
    round = 0,
  ): RoundResult {
    const latency = (mean: number) => ({ ...buildLatency(100, 1), mean });
    return buildRound(round, 100, {
      cpu: {
        ...idle,
        eventLoopUtilization: threads.length === 0 ? [0.3] : threads.map(() => 0.3),
        threads: threads.map(load => ({ ...calm, ...load })),
        ...cpu,
      },
      service: latency(1),
      response: latency(responseMs),
      basePingMs,
      link,
    });
  }

  const alone: Case[] = [
    {
      when: 'workers wait for half of their response time',
      resource: 'pool',
      responseMs: 2,
      evidence: ['50 %', '1.00 ms'],
    },
    { when: 'workers wait for less than half of it', resource: unsaturated, responseMs: 1.98 },
    {
      when: 'the thread has a core all the time',
      resource: 'client',
      threads: [{ cores: 0.97, waitShare: 0.02 }],
      evidence: ['0.97', '30 %'],
    },
    {
      when: 'the thread has a core most of the time and waits for one the rest',
      resource: 'client',
      threads: [{ cores: 0.8, waitShare: 0.12 }],
    },
    { when: 'the thread is nearly busy', resource: unsaturated, threads: [{ cores: 0.87, waitShare: 0.02 }] },
    {
      when: 'the event loop is held up by something that takes no CPU',
      resource: 'client',
      cpu: { eventLoopUtilization: [0.99] },
      threads: [{ cores: 0.1 }],
    },
    {
      when: 'the event loop is busy and nothing else is known of the thread',
      resource: 'client',
      cpu: { eventLoopUtilization: [0.99] },
      evidence: ['99 %'],
    },
    {
      when: 'one thread of three is busy, though the median one is not',
      resource: 'client',
      cpu: { eventLoopUtilization: [0.5, 1, 0.4] },
      threads: [{ cores: 0.5 }, { cores: 1 }, { cores: 0.4 }],
      evidence: ['3 threads', '0.50', '50 %', '100 %'],
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
      threads: [{ cores: 0.6 }],
      evidence: ['main thread', '0.93'],
    },
    {
      when: 'both are busy, the server more',
      resource: 'server',
      cpu: { serverMainThreadCores: 0.98 },
      threads: [{ cores: 0.93 }],
    },
    {
      when: 'both are busy, the thread more',
      resource: 'client',
      cpu: { serverMainThreadCores: 0.92 },
      threads: [{ cores: 0.99 }],
    },
    {
      when: 'a server without a main thread uses all of its threads',
      resource: 'server',
      cpu: { serverMainThreadCores: null, serverCores: 3.7 },
      environment: { serverThreads: 4 },
      evidence: ['3.70', '4 threads'],
    },
    {
      when: 'such a server uses some of its threads',
      resource: unsaturated,
      cpu: { serverMainThreadCores: null, serverCores: 3.5 },
      environment: { serverThreads: 4 },
    },
    {
      when: 'the server’s CPU is unknown and the client is idle',
      resource: 'unknown',
      cpu: { serverCores: null, serverMainThreadCores: null },
      evidence: ['not known'],
    },
    {
      when: 'the server’s CPU is unknown and the client is busy',
      resource: 'client',
      cpu: { serverCores: null, serverMainThreadCores: null, eventLoopUtilization: [0.99] },
    },
  ];

  const overTime: Case[] = [
    {
      when: 'a PING takes half of the time for a batch',
      resource: 'network',
      basePingMs: 0.5,
      evidence: ['1.00 ms', '0.500 ms'],
    },
    {
      when: 'a PING takes as long, and the server’s CPU is unknown',
      resource: 'network',
      basePingMs: 0.5,
      cpu: { serverCores: null, serverMainThreadCores: null },
    },
    {
      when: 'client and server have a core for that time between them',
      resource: unsaturated,
      basePingMs: 0.5,
      cpu: { serverMainThreadCores: 0.35 },
      threads: [{ cores: 0.5 }],
      evidence: ['0.50', '30 %', '0.35'],
    },
    {
      when: 'the same takes that time over a network',
      resource: 'network',
      basePingMs: 0.5,
      cpu: { serverMainThreadCores: 0.35 },
      threads: [{ cores: 0.5 }],
      environment: { local: false },
    },
    {
      when: 'a batch takes many PINGs and nobody works',
      resource: 'server',
      basePingMs: 0.1,
      cpu: { serverMainThreadCores: 0.02 },
      threads: [{ cores: 0.03 }],
      evidence: ['1.00 ms', '0.100 ms', '0.02'],
    },
    {
      when: 'a batch takes many PINGs and both work',
      resource: unsaturated,
      basePingMs: 0.1,
      threads: [{ cores: 0.4 }],
    },
    {
      when: 'a batch takes many PINGs over a network and nobody works',
      resource: 'server',
      basePingMs: 0.1,
      cpu: { serverMainThreadCores: 0.02 },
      threads: [{ cores: 0.03 }],
      environment: { local: false },
      evidence: ['1.00 ms', '0.100 ms', '0.02'],
    },
    {
      when: 'no PING was answered and nobody works',
      resource: unsaturated,
      basePingMs: null,
      evidence: ['30 %', '0.20'],
    },
  ];

  const shared: Case[] = [
    {
      when: 'threads are ready and have no core',
      resource: 'machine',
      cpu: { clientCores: 1, serverMainThreadCores: 0.68, machineBusyShare: 0.86 },
      threads: [
        { cores: 0.43, waitShare: 0.31 },
        { cores: 0.55, waitShare: 0.16 },
      ],
      environment: { cores: 2 },
      evidence: ['24 %', '86 %', '1.00', '0.20 of 2 cores'],
    },
    {
      when: 'the same happens while half of the cores idle: a thread and the server share one by choice',
      resource: unsaturated,
      cpu: { machineBusyShare: 0.5, serverMainThreadCores: 0.47, eventLoopUtilization: [0.97] },
      threads: [{ cores: 0.53, waitShare: 0.36 }],
      environment: { cores: 2 },
    },
    {
      when: 'threads are ready and have no core, and the server is elsewhere',
      resource: 'machine',
      cpu: { machineBusyShare: 0.97 },
      threads: [{ cores: 0.5, waitShare: 0.4 }],
      environment: { cores: 2, local: false },
      evidence: ['40 %', '97 %', '0.30 of 2 cores'],
    },
    {
      when: 'the server is busy on a machine without an idle core',
      resource: 'server',
      cpu: { machineBusyShare: 0.99, serverMainThreadCores: 0.96 },
      threads: [{ cores: 0.1, waitShare: 0.25 }],
      environment: { cores: 2 },
    },
    {
      when: 'client and server want three of two cores, and nothing else is known of their threads',
      resource: 'machine',
      cpu: {
        clientCores: 1.2,
        serverCores: 0.7,
        serverMainThreadCores: 0.7,
        eventLoopUtilization: [0.95, 0.95],
      },
      environment: { cores: 2 },
    },
    {
      when: 'they want two of two',
      resource: 'client',
      cpu: { clientCores: 1, serverCores: 0.86, serverMainThreadCores: 0.86, eventLoopUtilization: [0.99] },
      environment: { cores: 2 },
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
      environment: { cores: 2, local: false },
    },
    {
      when: 'a neighbour takes the cores that client and server would need',
      resource: 'machine',
      cpu: { clientCores: 0.9, serverCores: 0.5, machineBusyShare: 0.97 },
      threads: [{ cores: 0.8, waitShare: 0.12 }],
      environment: { cores: 2 },
      evidence: ['97 %', '0.90', '0.50 of 2 cores'],
    },
    {
      when: 'a neighbour takes the cores, and the server works a lot',
      resource: 'machine',
      cpu: { serverCores: 0.6, serverMainThreadCores: 0.6, machineBusyShare: 0.99 },
      threads: [{ cores: 0.1, waitShare: 0.05 }],
      basePingMs: 0.9,
      environment: { cores: 2 },
    },
    {
      when: 'a neighbour takes cores that nobody needs',
      resource: 'network',
      cpu: { machineBusyShare: 0.97 },
      threads: [{ cores: 0.1, waitShare: 0.05 }],
      basePingMs: 0.9,
      environment: { cores: 2 },
    },
  ];

  /** What a machine lets poolbench and a local server use. */
  const sets = (
    machine: number,
    client: [cpus: number, busy: number],
    both: [cpus: number, busy: number],
  ) => ({
    machine,
    client: { cpus: client[0], busyShare: client[1] },
    both: { cpus: both[0], busyShare: both[1] },
  });
  const waiting = { cores: 0.45, waitShare: 0.4 };

  const confined: Case[] = [
    {
      when: 'one thread is full among three that are not',
      resource: 'client',
      threads: [{ cores: 0.35 }, { cores: 0.35 }, { cores: 0.99 }, { cores: 0.35 }],
      evidence: ['4 threads', '0.35', '0.99'],
    },
    {
      when: 'one thread is full, and the others are ready without a core',
      resource: 'machine',
      cpu: { machineBusyShare: 0.97 },
      threads: [{ cores: 0.95 }, waiting, waiting],
    },
    {
      when: 'a CPU quota stops poolbench, though workers wait for connections and no core is busy',
      resource: 'machine',
      cpu: { throttling: { periods: 10, throttledPeriods: 9, throttledMs: 620 } },
      responseMs: 3,
      evidence: ['90 %', '620 ms'],
    },
    {
      when: 'a CPU quota hardly ever stops poolbench',
      resource: unsaturated,
      cpu: { throttling: { periods: 100, throttledPeriods: 9, throttledMs: 9 } },
    },
    {
      when: 'the machine is full with the threads of another load, and the thread lacks a core now and then',
      resource: 'machine',
      cpu: { machineBusyShare: 0.95, clientCores: 1.5, serverCores: 0.4 },
      threads: [{ cores: 0.78, waitShare: 0.15 }],
      environment: { cores: 2, threadsBeside: 1 },
    },
    {
      when: 'poolbench is pinned to one of two CPUs, and the other is idle',
      resource: 'client',
      cpu: { machineBusyShare: 0.65, cpuSets: sets(2, [1, 0.99], [2, 0.65]) },
      threads: [waiting],
      environment: { cores: 1 },
      evidence: ['40 %', '65 %', 'of 2 cores', 'may use 1', '99 %'],
    },
    {
      when: 'poolbench is pinned to one of two CPUs, and the other is full, too',
      resource: 'machine',
      cpu: { machineBusyShare: 0.98, cpuSets: sets(2, [1, 0.99], [2, 0.97]) },
      threads: [waiting],
      environment: { cores: 1 },
    },
    {
      when: 'poolbench and the server are pinned to one full CPU of many',
      resource: 'machine',
      cpu: { machineBusyShare: 0.03, cpuSets: sets(64, [1, 0.99], [1, 0.99]) },
      threads: [waiting],
      environment: { cores: 1 },
      evidence: ['99 %', 'of 1 cores'],
    },
    {
      when: 'threads are ready without a core, and the machine does not tell its CPU',
      resource: 'unknown',
      cpu: { machineBusyShare: null },
      threads: [waiting],
      evidence: ['40 %', 'not known'],
    },
    {
      when: 'a thread is full, and the machine does not tell its CPU',
      resource: 'client',
      cpu: { machineBusyShare: null, cpuSets: null },
      threads: [{ cores: 0.97 }],
    },
    {
      when: 'one shard of four is full',
      resource: 'server',
      cpu: {
        serverMainThreadCores: null,
        serverCores: 1.9,
        serverFullestThread: { name: 'Proactor2', cores: 0.97 },
      },
      environment: { serverThreads: 4 },
      evidence: ['Proactor2', '0.97'],
    },
    {
      when: 'all io-threads of the server spin and its main thread has time left',
      resource: unsaturated,
      cpu: { serverMainThreadCores: 0.7, serverCores: 3.7 },
      environment: { serverThreads: 4, ioThreadsSpin: true },
      basePingMs: null,
    },
    {
      when: 'the link carries what it can',
      resource: 'network',
      link: { name: 'eth0', speedMbps: 1000, busyShare: 0.93 },
      environment: { local: false },
      evidence: ['eth0', '93 %', '1,000'],
    },
  ];

  for (const { when, resource, evidence = [], environment: changes, ...figures } of [
    ...alone,
    ...overTime,
    ...shared,
    ...confined,
  ]) {
    test(`limited by ${resource} when ${when}`, () => {
      const found = limitedBy([measure(figures)], { ...environment, ...changes });
      expect(found.resource).toBe(resource);
      const [deciding = ''] = found.evidence.split(';');
      for (const figure of evidence) expect(deciding).toContain(figure);
    });
  }

  test('every known figure is in the evidence, the deciding one first', () => {
    const round = measure({ threads: [{ cores: 0.3, waitShare: 0.02 }], responseMs: 2.5 });
    const waited = { ...round, poolMetrics: { ...round.poolMetrics, peakWaiting: 18 } };
    expect(limitedBy([waited], environment).evidence).toBe(
      '60 % of the response time (1.50 ms) waiting for a connection, up to 18 waiting; ' +
        'thread 0.30 of a core, event loop 30 % busy, thread ready without a core 2.0 % of the time, ' +
        'server main thread 0.20 of a core, 1.00 ms per batch, a PING before the load 0.400 ms, ' +
        'machine 7.0 % busy (client 0.30, server 0.20 of 8 cores)',
    );
  });

  test('pauses and a late event loop are mentioned if they matter', () => {
    const evidenceOf = (load: Partial<ThreadLoad>) =>
      limitedBy([measure({ threads: [calm, { cores: 0.97, ...load }] })], environment).evidence;
    const few = evidenceOf({ gcMs: 49, gcLongestMs: 20, loopDelayP99Ms: 9.9 });
    expect(few).not.toContain('garbage');
    expect(few).not.toContain('late');
    const many = evidenceOf({ gcMs: 70, gcLongestMs: 20, loopDelayP99Ms: 21 });
    expect(many).toMatch(/garbage collection 7\.0 %.* 20\.0 ms .* 21\.0 ms late/);
  });

  test('a full thread limits all of its loads, and the evidence names the others', () => {
    const threadsSharedWith = ['bulk', 'churn'];
    const found = limitedBy([measure({ threads: [{ cores: 0.97 }] })], { ...environment, threadsSharedWith });
    expect(found.resource).toBe('client');
    expect(found.evidence).toMatch(/^thread shared with bulk and churn 0\.97 of a core/);
  });

  test('the spinning of an open loop is idle time of a closed loop in the same thread', () => {
    const threads = [{ cores: 0.97, spinShare: 0.5 }];
    const found = limitedBy([measure({ threads, cpu: { eventLoopUtilization: [1] } })], environment);
    expect(found.resource).not.toBe('client');
    expect(found.evidence).toMatch(/thread 0\.47 of a core, event loop 50 % busy \(and 50 % spun /);
  });

  test('one odd round does not decide', () => {
    const busy = { threads: [{ cores: 0.99 }] };
    const rounds = [measure(busy, 0), measure(busy, 1), measure({}, 2)];
    expect(limitedBy(rounds, environment).resource).toBe('client');
  });

  test('unknown when nothing was measured or nothing completed', () => {
    expect(limitedBy([], environment).resource).toBe('unknown');
    expect(limitedBy([buildRound(0, 0, { issued: 5, failed: { OOM: 5 } })], environment).resource).toBe(
      'unknown',
    );
  });
});

describe('limit of an open loop counts spinning as idle', () => {
  const environment = { cores: 8, local: true, serverThreads: 1 };

  /** A round of an open loop whose thread has a core all the time, 60 % of it spun, and a server that works a little. */
  function measure(
    openLoop: Partial<OpenLoopResult> = {},
    { cpu = {}, ...changes }: Partial<Omit<RoundResult, 'cpu'>> & { cpu?: Partial<CpuUse> } = {},
  ): RoundResult {
    const usual = buildRound(0, 1000);
    const load = { cores: 0.98, waitShare: 0.01, gcPauses: 0, gcMs: 0, gcLongestMs: 0 };
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
        threads: [{ ...load, loopDelayP99Ms: 0.1, loopDelayMaxMs: 0.2 }],
        serverCores: 0.2,
        serverMainThreadCores: 0.2,
        ...cpu,
      },
    };
  }

  const limitOf = (round: RoundResult) => limitedBy([round], environment);

  test('a thread that spins until the next arrival is not busy: the rate was kept, so nothing limited it', () => {
    const { resource, evidence } = limitOf(measure());
    expect(resource).toBe('none');
    expect(evidence).toMatch(/0\.38 .* 40 % .* 60 % spun/);
    expect(evidence).toContain('rate was sustained');
  });

  test('a thread that works all the time is, in an open loop as in a closed one', () => {
    expect(limitOf(measure({ spinShare: 0.02 })).resource).toBe('client');
    expect(limitOf({ ...measure(), openLoop: null }).resource).toBe('client');
  });

  test('a full thread is the limit, even if the others spin: each counts only what it spun itself', () => {
    const [load = expect.fail()] = measure().cpu.threads;
    const threads = [0.02, 0.9].map(spinShare => ({ ...load, spinShare }));
    const cpu = { eventLoopUtilization: [1, 1], threads, clientCores: 2 };
    const found = limitOf(measure({ spinShare: 0.46 }, { cpu }));
    expect(found.resource).toBe('client');
    expect(found.evidence).toMatch(/46 % spun .* \(busiest 0\.96 of a core, 98 %\)/);
  });

  test("the spinning of a population's threads is idle time of the machine, not work of the client", () => {
    const threads = measure().cpu.threads.map(load => ({ ...load, cores: 0.6, waitShare: 0.25 }));
    const beside = (othersSpunCores?: number) => {
      const used = { threads, clientCores: 1.6, machineBusyShare: 1, eventLoopUtilization: [0.8] };
      const cpu = othersSpunCores === undefined ? used : { ...used, othersSpunCores };
      const round = { ...measure({}, { cpu }), openLoop: null };
      return limitedBy([round], { ...environment, cores: 2, threadsBeside: 1 });
    };
    expect(beside()).toMatchObject({ resource: 'machine', evidence: expect.stringMatching(/client 1\.60/) });
    const found = beside(0.9);
    expect(found.resource).not.toBe('machine');
    expect(found.evidence).toMatch(/client 0\.70/);
    expect(found.evidence).not.toContain('spun');
  });

  test('a thread that shares the CPU it is pinned to, and spins there, leaves it idle for as long as it spins', () => {
    const threads = measure().cpu.threads.map(load => ({ ...load, cores: 0.7, waitShare: 0.3 }));
    const cpuSets = { machine: 2, client: { cpus: 1, busyShare: 1 }, both: { cpus: 2, busyShare: 0.6 } };
    const pinned = (spinShare: number) => limitOf(measure({ spinShare }, { cpu: { threads, cpuSets } }));
    expect(pinned(0.5).resource).toBe('none');
    expect(pinned(0).resource).toBe('client');
  });

  test('a server that is busy limits an overloaded open loop, and the backlog is mentioned', () => {
    const short = { completed: 500, shortfall: 500, unsent: 450, largestBacklog: 460 };
    const { resource, evidence } = limitOf(measure(short, { cpu: { serverMainThreadCores: 0.97 } }));
    expect(resource).toBe('server');
    expect(evidence).toContain('up to 460 due');
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

  test('operations of the warm-up that waited for the pool are in no more than the whole wait of those measured', () => {
    const overloaded = { completed: 500, shortfall: 500, unsent: 450, largestBacklog: 460 };
    const { poolMetrics } = buildRound(0, 1000);
    const acquireWait = { count: 1000, mean: 590, p50: 590, p99: 600, max: 600 };
    const [service, response] = [buildLatency(1000, 40), buildLatency(1000, 100)];
    const { resource, evidence } = limitOf(
      measure(overloaded, { service, response, poolMetrics: { ...poolMetrics, acquireWait } }),
    );
    expect(resource).toBe('pool');
    const ratio = (response.mean - service.mean) / response.mean;
    expect(evidence).toContain(`${Math.round(100 * ratio)} % of the response time`);
  });

  test('an open loop that is short although nobody is busy is explained as a closed one', () => {
    const round = measure({ completed: 500, shortfall: 500 }, { basePingMs: 0.9 });
    expect(limitOf({ ...round, cpu: { ...round.cpu, serverMainThreadCores: 0.05 } }).resource).toBe(
      'network',
    );
  });
});
