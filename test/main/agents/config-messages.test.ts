import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { maxRate, minRate } from '../../../src/aggregate/scenario/arrival.ts';
import { rows } from '../../../src/aggregate/scenario/scenario.ts';
import { AgentThreads } from '../../../src/main/agents/agent-threads.ts';
import type { Coordinator } from '../../../src/main/agents/agent-turn.ts';
import { type CoordinatorMessage, readCoordinatorMessage } from '../../../src/main/agents/messages.ts';
import { usualPatience } from '../../../src/main/agents/patience.ts';
import { emptySeats } from '../../../src/main/agents/seated.ts';
import { type Experiment, experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { planRun } from '../../../src/main/experiment/plan.ts';
import { threadTasks } from '../../../src/main/run/loads.ts';
import type { Target } from '../../../src/main/server/find-target.ts';
import { SharedState } from '../../../src/workers/shared-state.ts';
import { loopback } from '../../support/connections.ts';

const address = loopback(6379);
const target = { address, control: { address } } as Target;

/** What the agents of a run would be sent for one scenario of a config. */
async function messagesOf(experiment: Experiment, agents: number): Promise<CoordinatorMessage[]> {
  const [scenario] = planRun([experiment]).sides[0]?.scenarios ?? [];
  if (scenario === undefined) throw new Error('expected a scenario');
  const sent: CoordinatorMessage[] = [];
  const coordinator = {
    ...{ seated: emptySeats(agents), patience: usualPatience, cuts: 0 },
    beginTurn: () => 1,
    endTurn: () => {},
    listen: () => () => {},
    async send(_: number | 'all', message: CoordinatorMessage) {
      sent.push(message);
    },
    until: () => Promise.reject(new Error('all were asked')),
  } as unknown as Coordinator;
  const perAgent = Math.ceil(scenario.threads / agents);
  const threads = new AgentThreads(coordinator, {
    ...{ perAgent, pool: 1, subjects: new Map([[address, { address }]]) },
  });
  const shared = SharedState.forThreads(scenario.threads);
  const claim = { prefix: `poolbench:${experiment.seed}:`, token: '', claimed: true };
  const tasks = threadTasks({ experiment, target, claim }, scenario, 1, shared);
  const running = threads.run(tasks, shared, () => {}, threads.place(1, scenario.threads, scenario.hosts));
  await expect(running).rejects.toThrow('all were asked');
  return sent;
}

async function expectReadable(experiment: Experiment, agents = 1): Promise<void> {
  const sent = await messagesOf(experiment, agents);
  expect(sent.length).toBeGreaterThan(0);
  for (const message of sent) {
    const { fault, message: read } = readCoordinatorMessage(JSON.stringify(message));
    expect(fault).toBeUndefined();
    expect(read?.kind).toBe('prepare');
  }
}

/** The smallest and largest value that a schema takes, or all of its words. */
function boundsOf(schema: z.ZodType): unknown[] {
  const found = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (found.enum !== undefined) return found.enum;
  return [found.minimum, found.maximum].filter(bound => bound !== undefined);
}

const shape = experimentSchema.shape;
const stages = (seconds: number, rate: number) => [
  { seconds, rate },
  { seconds, rate: 0, rampTo: maxRate },
];
/** What has no smallest and largest value. */
const objects: Readonly<Record<string, readonly unknown[]>> = {
  // Others are refused before a run waits for its agents.
  client: ['ioredis', 'wire'],
  clientOptions: [{ keepAlive: 0 }],
  autoPipelining: [true],
  // Agents run no populations.
  beside: [null],
  burst: [true],
  arrival: [
    ...[minRate, maxRate].map(rate => ({ kind: 'constant', rate })),
    { kind: 'poisson', stages: stages(0.5, 0) },
    { kind: 'burst', rate: maxRate, size: 1_000_000 },
  ],
  batch: ['shared', 'separate'].map(pool => ({ pool, workers: 10, pipeline: 10_000 })),
};

/** A value at its bounds, but more often none: together most bounds make no valid config. */
const atBounds = (values: readonly unknown[]) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...values) },
  );

const group = fc.record(
  Object.fromEntries(
    rows.flatMap(([key, { config }]) => {
      if (config === null) return [];
      const values = objects[key] ?? boundsOf(config.item);
      return values.length === 0 ? [] : [[config.name ?? key, atBounds(values)]];
    }),
  ),
);
const workload = fc.record({
  keys: atBounds([1, 100_000_000]),
  members: atBounds([1, 100_000]),
  hitShare: atBounds([0]),
  keyChoice: atBounds([
    { kind: 'zipfian', exponent: 0.01 },
    { kind: 'gaussian', spread: 10 },
    { kind: 'hotSet', operationShare: 0, keyShare: 1 },
    { kind: 'partitioned' },
  ]),
  types: atBounds([{ strings: { keys: 100_000_000, members: 100_000, keyChoice: { kind: 'uniform' } } }]),
  valueBytes: atBounds([
    ...[0, 16 * 2 ** 20],
    { kind: 'range', from: 16 * 2 ** 20 - 1000, to: 16 * 2 ** 20 },
    { kind: 'lognormal', median: 16 * 2 ** 20, sigma: 5, most: 16 * 2 ** 20 },
    { kind: 'weighted', sizes: Array(128).fill({ bytes: 2 ** 19, weight: 1_000_000 }) },
  ]),
  valueContent: atBounds([{ kind: 'compressible', share: 1 }]),
  ycsb: atBounds(['D', 'E', 'F']),
  commands: atBounds([
    Array(64).fill({ command: 'SET {key} {value}', weight: 0.001 }),
    [{ command: `SET {key} "${'x'.repeat(900_000)}"` }],
    [{ command: 'MULTI; SET {key:a} {value}; GET {key:a}; EXEC', weight: 1_000_000 }],
  ]),
});
const config = fc.record({
  name: fc.constant('bounds'),
  target: fc.constant({ server: 'any', url: 'redis://127.0.0.1:6379' }),
  scenarios: fc.tuple(group),
  workload,
  seconds: atBounds(boundsOf(shape.seconds)),
  warmupSeconds: atBounds(boundsOf(shape.warmupSeconds)),
  timeoutMs: atBounds(boundsOf(shape.timeoutMs)),
  seed: atBounds(boundsOf(shape.seed)),
});

test('whatever a config may ask for is a message that agents read, at the bounds of every key', async () => {
  const seen = new Set<unknown>();
  let valid = 0;
  await fc.assert(
    fc.asyncProperty(config, fc.constantFrom(1, 3), async (written, agents) => {
      const { data } = experimentSchema.safeParse(JSON.parse(JSON.stringify(written)));
      if (data === undefined) return;
      valid++;
      for (const [key, value] of Object.entries({ ...written, ...written.scenarios[0], ...written.workload }))
        if (value !== undefined) seen.add(key);
      await expectReadable(data, agents);
    }),
    { seed: 1, numRuns: 120 },
  );
  expect(valid).toBeGreaterThan(30);
  for (const [key, { config }] of rows) if (config !== null) expect(seen, key).toContain(config.name ?? key);
});

test('as many threads, pools, workers and connections as a config may have', async () => {
  const ofScenarios = (scenario: object, more: object = {}) =>
    experimentSchema.parse({
      ...{ name: 'bounds', target: { server: 'any', url: 'redis://127.0.0.1:6379' } },
      scenarios: [scenario],
      ...more,
    });
  await expectReadable(ofScenarios({ workers: 1024, pools: 1024, poolsPerThread: 4 }));
  await expectReadable(ofScenarios({ workers: 100_000, connectionsPerWorker: 100, minIdleShare: 1 }));
  const beside = { pool: 'separate', workers: 100_000, pipeline: 10 };
  await expectReadable(ofScenarios({ workers: 100_000, batch: beside, connectionsPerWorker: 100 }));
});

test('a file of values that is longer than a message could be published', async () => {
  const path = join(tmpdir(), `poolbench-values-${process.pid}`);
  onTestFinished(() => rm(path));
  await writeFile(path, `{"a":"${'x'.repeat(9 * 2 ** 20)}"}\nshort`);
  const experiment = experimentSchema.parse({
    ...{ name: 'file', target: { server: 'any', url: 'redis://127.0.0.1:6379' }, scenarios: [{}] },
    workload: { valueBytes: { kind: 'file', path } },
  });
  await expectReadable(experiment);
});
