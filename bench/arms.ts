import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, constants, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findUnpacked } from '../src/main/server/find-server.ts';
import { findProgram } from '../src/main/server/server-process.ts';
import { whyNoRing } from '../src/pool/client/ring-socket.ts';
import type { Transport } from '../src/pool/presets.ts';
import type { NodeArm } from './arm.ts';
import { runInChild } from './child.ts';
import type { ArmFigures } from './load-arm.ts';
import type { BenchServer, Program } from './server.ts';

const run = promisify(execFile);
const inBench = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** GET and SET, half each, of 32 bytes over 10,000 keys. */
export interface Load {
  readonly connections: number;
  readonly pipeline: number;
  readonly seconds: number;
  /** How many operations that will be, about: for tools that are told a number and not a time. */
  readonly operations: number;
}

/** A tool or a client under the load. */
export interface Arm {
  readonly name: string;
  readonly kind: 'poolbench' | 'C tool' | 'bare loop' | 'floor';
  readonly measure: (load: Load) => Promise<ArmFigures>;
}

/** Every arm that is to be had here, and a line for each that is not. */
export async function findArms(server: BenchServer): Promise<{ arms: Arm[]; missing: string[] }> {
  const arms: Arm[] = [poolbench('wire', server), poolbench('ioredis', server)];
  const missing: string[] = [];
  const noRing = whyNoRing();
  if (noRing === undefined) arms.splice(1, 0, poolbench('wire', server, 'io_uring'));
  else missing.push(`Left out: wire over io_uring, because ${noRing}.`);
  for (const find of [findRedisBenchmark, findValkeyBenchmark, findMemtier, findFloor]) {
    const found = await find(server);
    if (typeof found === 'string') missing.push(found);
    else arms.push(found);
  }
  const bare = (['ioredis', 'node-redis', 'valkey-glide'] as const).map(client => bareLoop(client, server));
  return { arms: [...arms, ...bare], missing };
}

function poolbench(client: 'wire' | 'ioredis', { port }: BenchServer, transport?: Transport): Arm {
  return {
    name: `poolbench, ${client}${transport === undefined ? '' : `, ${transport}`}`,
    kind: 'poolbench',
    measure: load => inNode({ driver: 'poolbench', client, ...(transport && { transport }), port, ...load }),
  };
}

function bareLoop(client: 'ioredis' | 'node-redis' | 'valkey-glide', { port }: BenchServer): Arm {
  return {
    name: `${client}, bare`,
    kind: 'bare loop',
    measure: load => inNode({ driver: 'bare', client, port, ...load }),
  };
}

/** A Node process of its own, counted within its measured window: Node's start is left out. */
function inNode(options: NodeArm): Promise<ArmFigures> {
  return runInChild(inBench('arm.ts'), options);
}

/** How a C tool is started, if not with one thread on TCP. */
interface ToolOptions {
  readonly threads?: number;
  /** The path of a unix socket. */
  readonly socket?: string;
}

export async function findRedisBenchmark(server: BenchServer, options?: ToolOptions): Promise<Arm | string> {
  const onPath = await findProgram('redis-benchmark');
  const program = onPath === undefined ? server.beside('redis-benchmark') : asIs(onPath);
  return benchmarkOf('redis-benchmark', program, server, options);
}

async function findValkeyBenchmark(server: BenchServer): Promise<Arm | string> {
  const onPath = await findProgram('valkey-benchmark');
  if (onPath !== undefined) return benchmarkOf('valkey-benchmark', asIs(onPath), server);
  const found = await findUnpacked('valkey', console.log);
  if ('reason' in found) return `valkey-benchmark is left out: ${found.reason}.`;
  const program = { path: found.path.replace(/[^/]*$/, 'valkey-benchmark'), env: found.env };
  return benchmarkOf('valkey-benchmark', program, server);
}

/** redis-benchmark or valkey-benchmark: its SETs, then its GETs. Its percentiles are the mean of both. */
async function benchmarkOf(
  name: string,
  program: Program,
  { port }: BenchServer,
  { threads = 1, socket }: ToolOptions = {},
): Promise<Arm | string> {
  if (!(await isExecutable(program.path)))
    return `${name} is left out: it is neither on PATH nor in the package.`;
  return {
    name,
    kind: 'C tool',
    async measure({ connections, pipeline, operations }) {
      const options = {
        ...(socket === undefined ? { '-p': port } : { '-s': socket }),
        ...(threads === 1 ? {} : { '--threads': threads }),
        ...{ '-c': connections, '-P': pipeline, '-n': Math.ceil(operations / 2) },
        ...{ '-d': 32, '-r': 10_000, '-t': 'set,get' },
      };
      const { output, cpu } = await wholeProcess(program, [
        ...Object.entries(options).flat().map(String),
        '--csv',
      ]);
      const rows = output.split('\n').filter(line => /^"(SET|GET)"/.test(line));
      const figures = rows.map(row => row.split(',').map(cell => Number(cell.replaceAll('"', ''))));
      const mean = (column: number) =>
        figures.reduce((sum, row) => sum + (row[column] ?? Number.NaN), 0) / figures.length;
      const secondsPerOp = figures.reduce((sum, [, rate = Number.NaN]) => sum + 1 / rate, 0) / figures.length;
      return {
        ...perOperation(cpu, operations),
        opsPerSecond: 1 / secondsPerOp,
        p50Ms: mean(4),
        p99Ms: mean(6),
      };
    },
  };
}

/** With several threads the connections are divided among them. */
export async function findMemtier(
  { port }: BenchServer,
  { threads = 1 }: Pick<ToolOptions, 'threads'> = {},
): Promise<Arm | string> {
  const path = await findProgram('memtier_benchmark');
  if (path === undefined) return 'memtier_benchmark is left out: it is not on PATH.';
  return {
    name: 'memtier_benchmark',
    kind: 'C tool',
    async measure({ connections, pipeline, operations }) {
      const each = Math.ceil(operations / connections / pipeline) * pipeline;
      const options = {
        ...{ port, threads, clients: connections / threads, pipeline, requests: each, ratio: '1:1' },
        // As long as the keys of the others.
        ...{ 'data-size': 32, 'key-maximum': 10_000, 'key-prefix': 'bench:1:0000' },
      };
      const args = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
      const { output, cpu } = await wholeProcess(asIs(path), [...args, '--hide-histogram']);
      const totals =
        output
          .match(/^Totals\s+(.*)$/m)?.[1]
          ?.trim()
          .split(/\s+/)
          .map(Number) ?? [];
      const [opsPerSecond = Number.NaN, , , , p50Ms = Number.NaN, p99Ms = Number.NaN] = totals;
      return { ...perOperation(cpu, each * connections), opsPerSecond, p50Ms, p99Ms };
    },
  };
}

/** What the system calls cost whoever makes them: a loop in C that writes fixed bytes and counts those of the replies. */
export async function findFloor(
  { port }: BenchServer,
  { socket }: Pick<ToolOptions, 'socket'> = {},
): Promise<Arm | string> {
  const compiler = await findProgram('cc');
  if (compiler === undefined || process.platform !== 'linux')
    return 'The floor is left out: it takes Linux and `cc`.';
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-floor-'));
  const program = join(folder, 'floor');
  await run(compiler, ['-O2', '-o', program, inBench('floor.c')]);
  process.once('exit', () => rmSync(folder, { recursive: true }));
  return {
    name: 'floor: epoll loop in C',
    kind: 'floor',
    async measure({ connections, pipeline, seconds }) {
      const { stdout } = await run(program, [socket ?? port, connections, pipeline, seconds].map(String));
      return { p50Ms: Number.NaN, p99Ms: Number.NaN, ...JSON.parse(stdout) } as ArmFigures;
    },
  };
}

interface Cpu {
  readonly userSeconds: number;
  readonly systemSeconds: number;
}

/** A tool written in C, counted whole: its start is a few milliseconds. The shell's `times` is the rusage of its child. */
async function wholeProcess(
  program: Program,
  args: readonly string[],
): Promise<{ output: string; cpu: Cpu }> {
  const script = '"$@" 2>/dev/null || exit 1; echo; times';
  const { stdout } = await run('sh', ['-c', script, 'sh', program.path, ...args], {
    env: { ...process.env, ...program.env },
    maxBuffer: 64 * 1024 * 1024,
  });
  const lines = stdout.trimEnd().split('\n');
  const [userSeconds = Number.NaN, systemSeconds = Number.NaN] = [
    ...(lines.pop() ?? '').matchAll(/(\d+)m([\d.]+)s/g),
  ].map(([, minutes, seconds]) => Number(minutes) * 60 + Number(seconds));
  return { output: lines.join('\n'), cpu: { userSeconds, systemSeconds } };
}

function perOperation({ userSeconds, systemSeconds }: Cpu, operations: number) {
  return {
    cpuMicrosPerOp: ((userSeconds + systemSeconds) * 1e6) / operations,
    userMicrosPerOp: (userSeconds * 1e6) / operations,
  };
}

function asIs(path: string): Program {
  return { path, env: {} };
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
