/**
 * `npm run bench`: poolbench beside other tools and libraries, on a redis-server of its own on loopback.
 * Arms alternate within every round, and only ratios within a round are judged: absolute figures drift with the machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, medianInterval } from '../src/aggregate/statistics.ts';
import { findServerBinary } from '../src/main/target/find-server.ts';
import { startServer } from '../src/main/target/server-process.ts';
import {
  type Arm,
  findOnPath,
  measureOverhead,
  memtierArm,
  nodeArm,
  redisBenchmarkArm,
} from './client-cpu.ts';
import type { ArmFigures } from './load-arm.ts';
import { measurePairs } from './pool-pair.ts';
import { measureStart } from './start-time.ts';
import { measureThreadMemory } from './thread-memory.ts';

const rounds = Number(process.env.ROUNDS ?? 5);
const seconds = 3;
const lines: string[] = [];

function say(line: string): void {
  lines.push(line);
  console.log(line);
}

/** The median, and the lowest and highest round. */
function interval(values: readonly number[], digits: number): string {
  const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  say(`| ${head.join(' | ')} |`);
  say(`|${head.map(() => ' --- ').join('|')}|`);
  for (const row of rows) say(`| ${row.join(' | ')} |`);
  say('');
}

/** Runs the arms in turn, in every round from another one on, and prints the first one's ratio to each other. */
async function compare(title: string, arms: readonly Arm[], goals: Record<string, string>): Promise<void> {
  const figures = new Map(
    arms.map(arm => [arm.name, [] as { cpuMicrosPerOp: number; opsPerSecond: number }[]]),
  );
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < arms.length; turn++) {
      const arm = arms[(turn + round) % arms.length] as Arm;
      figures.get(arm.name)?.push(await arm.measure());
    }
  }
  const own = figures.get(arms[0]?.name ?? '') ?? [];
  say(`### ${title}\n`);
  table(
    ['arm', 'client CPU µs/op', 'ops/s', `CPU ratio ${arms[0]?.name} to it`, 'throughput ratio', 'goal'],
    [...figures].map(([name, measured]) => {
      const ratioOf = (key: 'cpuMicrosPerOp' | 'opsPerSecond') =>
        name === arms[0]?.name
          ? ''
          : interval(
              measured.map((figure, round) => (own[round]?.[key] ?? Number.NaN) / figure[key]),
              2,
            );
      return [
        name,
        interval(
          measured.map(figure => figure.cpuMicrosPerOp),
          2,
        ),
        interval(
          measured.map(figure => figure.opsPerSecond),
          0,
        ),
        ratioOf('cpuMicrosPerOp'),
        ratioOf('opsPerSecond'),
        goals[name] ?? '',
      ];
    }),
  );
}

async function compareClients(port: number, server: { path: string; env: NodeJS.ProcessEnv }): Promise<void> {
  // Debian's redis-benchmark lies beside the server; it and others may be on PATH as well.
  const beside = join(dirname(server.path), 'redis-benchmark');
  const redisBenchmark = (await findOnPath('redis-benchmark')) ?? beside;
  const memtier = await findOnPath('memtier_benchmark');
  if (memtier === undefined) say('memtier_benchmark is not on PATH: it is left out.\n');
  for (const pipeline of [1, 100]) {
    const load = { port, connections: 50, pipeline, operations: pipeline === 1 ? 300_000 : 6_000_000 };
    const wire = nodeArm('wire', { client: 'wire', port, connections: 50, pipeline, seconds });
    const cTools = [
      redisBenchmarkArm({ name: 'redis-benchmark', path: redisBenchmark, env: server.env }, load),
      ...(memtier === undefined
        ? []
        : [memtierArm({ name: 'memtier_benchmark', path: memtier, env: {} }, load)]),
    ];
    const goals =
      pipeline === 1
        ? { 'redis-benchmark': 'CPU ≤ 0.75', memtier_benchmark: 'CPU ≤ 0.85' }
        : { 'redis-benchmark': 'CPU ≤ 0.90', memtier_benchmark: 'CPU ≤ 0.40' };
    await compare(`50 connections, SET/GET 1:1, 32 B, depth ${pipeline}`, [wire, ...cTools], goals);
  }
}

async function compareIoredis(port: number): Promise<void> {
  const pairs = await measureOverhead(port, 5 * rounds);
  const ratio = (key: keyof ArmFigures) => {
    const ratios = pairs.map(({ poolbench, bare }) => poolbench[key] / bare[key]);
    // A single pair of such short windows says little; their median does, and the interval says how much.
    const { median, low, high } = medianInterval(ratios);
    return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
  };
  say('### ioredis through poolbench, and a bare loop, in turn in one process, 50 connections, depth 1\n');
  table(
    ['figure', `poolbench to the bare loop, median of ${pairs.length} pairs [interval]`, 'goal'],
    [
      ['client CPU per operation', ratio('cpuMicrosPerOp'), 'within 5 %'],
      ['operations per second', ratio('opsPerSecond'), 'within 5 %'],
    ],
  );
}

async function comparePools(): Promise<void> {
  const figures = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, pairNs } of await measurePairs(2_000_000))
      figures.set(name, [...(figures.get(name) ?? []), pairNs]);
  }
  const own = figures.get('poolbench tryAcquire, metrics on') ?? [];
  say('### Acquire and release, 50 idle connections, no sockets\n');
  table(
    ['pool', 'ns a pair', 'times tryAcquire with metrics on'],
    [...figures].map(([name, measured]) => [
      name,
      interval(measured, 0),
      interval(
        measured.map((ns, round) => ns / (own[round] ?? Number.NaN)),
        1,
      ),
    ]),
  );
}

const server = await findServerBinary('redis', console.log);
if ('reason' in server) throw new Error(server.reason);
const { port, stop } = await startServer('redis', server, {});
try {
  say(
    `Node ${process.version}, ${os.cpus()[0]?.model} × ${os.availableParallelism()}, Redis ${server.version}, ${rounds} rounds, `,
  );
  say('medians with the lowest and highest round.\n');
  const only = process.argv[2];
  if (only === undefined || only === 'clients') await compareClients(port, server);
  if (only === undefined || only === 'ioredis') await compareIoredis(port);
  if (only === undefined || only === 'pools') await comparePools();
  if (only === undefined || only === 'start') {
    say('### Start\n');
    const starts: number[] = [];
    for (let round = 0; round < rounds; round++) starts.push(await measureStart(port));
    say(
      `From \`node dist/main/cli.js\` to the first measured operation, 4 threads: ${interval(starts, 2)} s (goal: under 2 s)\n`,
    );
    const { emptyMegabytes, wireMegabytes } = await measureThreadMemory(port, 8);
    say(
      `Memory a thread: ${emptyMegabytes.toFixed(1)} MB empty, ${wireMegabytes.toFixed(1)} MB with the wire client and 50 connections: ` +
        `${(wireMegabytes - emptyMegabytes).toFixed(1)} MB more (goal: under 15 MB)\n`,
    );
  }
} finally {
  await stop();
}
const folder = fileURLToPath(new URL('results', import.meta.url));
mkdirSync(folder, { recursive: true });
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
const file = join(folder, `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${commit}.md`);
writeFileSync(file, `${lines.join('\n')}\n`);
console.log(`Written: bench/results/${file.split('/').at(-1)}`);
