import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { calm, createExperiment } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { shareServer } from '../support/servers.ts';

describe('result keeps the contract', () => {
  /** Every key of result.json that design and docs promise; histograms and lists of samples aside. */
  const promised = [
    'schemaVersion complete name startedAt finishedAt seed tool environment target warnings config scenarios claims',
    'tool.name tool.version',
    'environment.node environment.os environment.cpu environment.cores environment.memoryBytes',
    'target.declared.server target.declared.url target.detected.server target.detected.version',
    'target.detected.threads target.foundBy target.standIn',
    'environment.cpus environment.affinity environment.quotaCores environment.governor environment.smt environment.virtualisation',
  ];
  const promisedOfScenario =
    'id client pool pools threads workers connections pipeline arrival.kind rounds summary.opsPerSecond.median ' +
    'summary.opsPerSecond.low summary.opsPerSecond.high summary.responseP99.median limitedBy.resource limitedBy.evidence';
  const promisedOfRound =
    'round startedAt seconds issued completed failed unfinished opsPerSecond histograms.service histograms.response poolMetrics ' +
    'cpu.machineBusyShare cpu.cpuSets cpu.throttling cpu.serverFullestThread serverMicrosPerCall link ' +
    'cpu.clientMicrosPerOp cpu.eventLoopUtilization cpu.serverCores serverCalls series.0.second series.0.completed ' +
    ['service', 'response']
      .flatMap(times =>
        ['count', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'].map(key => `${times}.${key}`),
      )
      .join(' ');
  const promisedOfClaim = 'id statement predicted measured low high verdict reason';

  function expectKeys(value: unknown, ...lists: string[]): void {
    for (const path of lists.join(' ').split(' ')) expect(value).toHaveProperty(path);
  }

  test.each([
    [
      'redis',
      [
        {
          pool: ['baseline', 'optimized'],
          pools: 2,
          poolsPerThread: 2,
          ...calm,
        },
        { client: ['ioredis', 'wire'], pools: 2, pipeline: 10, ...calm },
      ],
      4,
    ],
    ['valkey', [{ workers: [3, 4] }], 2],
  ] as const)('a run on %s leaves a result that holds, and nothing else', async (name, groups, cells) => {
    const server = await shareServer(name);
    const redis = await connectObserver(server.url);
    await redis.set('not ours', 'stays');
    const experiment = await createExperiment(server.url, {
      name: `contract-${name}`,
      target: { server: name, url: server.url },
      scenarios: groups.map(group => ({ client: 'wire', workers: 5, ...group })),
      rounds: 2,
      seconds: 0.2,
      seed: 42,
    });
    const { code, stdout, stderr } = await experiment.run(['--force']);
    expect(code, stderr).toBe(0);
    expect(stdout).not.toMatch(/^C\d+ /m);

    const folder = await experiment.resultsFolder();
    expect(folder).toMatch(new RegExp(`/\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\dZ-contract-${name}$`));
    expect((await readdir(folder)).sort()).toEqual([
      'histograms',
      'histograms.hlog',
      'report.html',
      'report.md',
      'result.json',
      'scenarios.csv',
      'series.csv',
      'server.csv',
    ]);
    expect(await readFile(join(folder, 'report.md'), 'utf8')).toContain(`contract-${name}`);

    const result = await experiment.result();
    expectKeys(result, ...promised);
    expect(result).toMatchObject({
      schemaVersion: 1,
      complete: true,
      name: `contract-${name}`,
      seed: 42,
      tool: { name: 'poolbench' },
      target: {
        declared: { server: name, url: server.url },
        detected: { server: name },
        foundBy: `running at ${server.url}`,
        standIn: false,
      },
      config: {
        rounds: 2,
        seconds: 0.2,
        timeoutMs: 5000,
        workload: { keys: 200, valueBytes: 32, readShare: 0.5 },
      },
    });
    expect(Date.parse(result.finishedAt)).toBeGreaterThan(Date.parse(result.startedAt));
    expect(result.claims.map(({ id }) => id)).toContain('C1');
    for (const claim of result.claims) expectKeys(claim, promisedOfClaim);

    expect(result.scenarios).toHaveLength(cells);
    expect(new Set(result.scenarios.map(({ id }) => id)).size).toBe(result.scenarios.length);
    for (const scenario of result.scenarios) {
      expectKeys(scenario, promisedOfScenario);
      expect(scenario.threads).toBe(Math.ceil(scenario.pools / scenario.poolsPerThread));
      expect(scenario.rounds.map(({ round }) => round)).toEqual([1, 2]);
      for (const round of scenario.rounds) {
        const where = `${scenario.id}, round ${round.round}`;
        expectKeys(round, promisedOfRound);
        expect(round, where).toMatchObject({
          seconds: 0.2,
          issued: round.completed,
          failed: {},
          unfinished: 0,
          misses: 0,
          overRange: 0,
          serverCalls: round.completed,
          service: { count: round.completed },
          response: { count: round.completed },
        });
        expect(round.completed % scenario.pipeline, where).toBe(0);
        const completedPerSecond = round.completed / round.seconds;
        if (scenario.arrival.kind === 'closed')
          expect(round.opsPerSecond, where).toBeCloseTo(completedPerSecond, 6);
        // What completes behind the end of an open loop's window is in no throughput.
        else expect(round.opsPerSecond, where).toBeLessThanOrEqual(completedPerSecond + 1e-6);
        expect(round.series.reduce((sum, second) => sum + second.completed, 0)).toBe(round.completed);
        expect(round.cpu.eventLoopUtilization).toHaveLength(scenario.threads);
        for (const times of ['service', 'response'] as const) {
          const histogram = decodeHistogram(round.histograms[times]);
          expect(histogram.totalCount, where).toBe(round.completed);
          expect(histogram.getValueAtPercentile(99) / 1e6).toBeCloseTo(round[times].p99, 6);
          histogram.destroy();
        }
        expect(round.response.p50).toBeGreaterThanOrEqual(round.service.p50);
        // On a busy machine a window this short can pass before the first reply.
        if (round.completed > 0) expect(round.poolMetrics.acquisitions, where).toBeGreaterThan(0);
      }
    }

    const completed = result.scenarios.flatMap(({ rounds }) => rounds.map(round => round.completed));
    expect(completed.filter(count => count > 0).length).toBeGreaterThan(cells);

    // The plain progress lines tell the order in which the rounds were measured.
    const order = (round: number) =>
      [...stderr.matchAll(new RegExp(`^round ${round}/2 +\\d+/${cells} .* (\\S+)$`, 'gm'))].map(
        match => match[1],
      );
    expect(order(1)).toHaveLength(cells);
    expect(order(1).toSorted()).toEqual(result.scenarios.map(({ id }) => id).toSorted());
    expect(order(2).toSorted()).toEqual(order(1).toSorted());

    expect(await redis.keys('*')).toEqual(['not ours']);
    // Only the observer's connection is left.
    await expect.poll(async () => /connected_clients:(\d+)/.exec(await redis.info('clients'))?.[1]).toBe('1');
  });
});

describe('same seed issues the same commands', () => {
  /** Commands in the order in which one worker sent them, over its one connection. */
  type Sequence = { name: string; key: string; value: string }[];

  /** Commands of a measurement that are looked at. */
  const enough = 30;

  /** What the worker sent in the warm-up of the threads, and what in the measurement, which ends once that is enough. */
  async function sequencesOf(url: string, seed: number): Promise<[Sequence, Sequence]> {
    const redis = new Redis(url);
    onTestFinished(() => redis.disconnect());
    const monitor = await redis.monitor();
    onTestFinished(() => monitor.disconnect());
    const byConnection = new Map<string, Sequence>();
    monitor.on('monitor', (_time: string, [name = '', key = '', value = '']: string[], from: string) => {
      const sequence = byConnection.get(from) ?? [];
      byConnection.set(from, sequence);
      sequence.push({ name: name.toUpperCase(), key: key.replace(/^poolbench:\d+:/, ''), value });
    });
    const ofWorker = () =>
      [...byConnection.values()]
        // The coordinator looks at its claim.
        .map(sequence =>
          sequence.filter(({ name, key }) => ['GET', 'SET'].includes(name) && !key.endsWith('claim')),
        )
        // Only the coordinator, which writes the keys first, sends no GET.
        .filter(sequence => sequence.some(({ name }) => name === 'GET'));
    const experiment = await createExperiment(url, {
      scenarios: [{ client: 'wire', workers: 1, ...calm }],
      seconds: 60,
      seed,
    });
    const running = experiment.start();
    await until(() => (ofWorker()[1]?.length ?? 0) >= enough);
    running.kill('SIGINT');
    const { code, stderr } = await running.outcome;
    expect(code, stderr).toBe(130);
    const [threadWarmup, measured, ...others] = ofWorker();
    if (threadWarmup === undefined || measured === undefined) throw new Error('expected two connections');
    expect(others).toEqual([]);
    return [threadWarmup, measured];
  }

  test('the same seed gives the same commands, keys and values; another seed others', async () => {
    const server = await shareServer();
    const first = await sequencesOf(server.url, 1);
    const again = await sequencesOf(server.url, 1);
    const other = await sequencesOf(server.url, 2);

    const keys = (sequence: Sequence) => sequence.map(({ name, key }) => `${name} ${key}`);
    for (const part of [0, 1] as const) {
      // A thread without a core for most of its warm-up has sent few.
      const common = Math.min(enough, ...[first, again, other].map(parts => parts[part].length));
      const start = (parts: [Sequence, Sequence]) => parts[part].slice(0, common);
      expect(start(again)).toEqual(start(first));
      expect(keys(start(other))).not.toEqual(keys(start(first)));
    }
    // Every round has draws of its own.
    const [warmup] = first.map(keys);
    expect(keys(first[1]).slice(0, warmup?.length)).not.toEqual(warmup?.slice(0, first[1].length));

    const [, measured] = first;
    for (const { key } of measured) expect(key).toMatch(/^00000[01]\d\d$/);
    expect(new Set(measured.map(({ name }) => name))).toEqual(new Set(['GET', 'SET']));
    expect(new Set(measured.map(({ key }) => key)).size).toBeGreaterThan(5);
  });
});
