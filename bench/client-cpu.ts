import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { OverheadPair } from './ioredis-overhead.ts';
import type { ArmFigures, ArmOptions } from './load-arm.ts';

const run = promisify(execFile);

/** One tool in one setting: how it is run, and what an operation cost its process. */
export interface Arm {
  readonly name: string;
  /** CPU of the client process per operation in microseconds, and operations per second. */
  readonly measure: () => Promise<{ cpuMicrosPerOp: number; opsPerSecond: number }>;
}

const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));
const overheadFile = fileURLToPath(new URL('ioredis-overhead.ts', import.meta.url));
const armFile = fileURLToPath(new URL('arm.ts', import.meta.url));

/** An arm in a Node process of its own, counted within its measured window: Node's start is left out. */
export function nodeArm(name: string, options: ArmOptions): Arm {
  return {
    name,
    async measure() {
      const { stdout } = await run(process.execPath, [tsx, armFile, JSON.stringify(options)]);
      return JSON.parse(stdout) as ArmFigures;
    },
  };
}

/** The load and the bare loop of ioredis-overhead.ts, pair by pair. */
export async function measureOverhead(port: number, pairs: number): Promise<OverheadPair[]> {
  const { stdout } = await run(process.execPath, [tsx, overheadFile, String(port), String(pairs)]);
  return JSON.parse(stdout) as OverheadPair[];
}

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly pipeline: number;
  /** Operations in all, half of them SET and half GET, of 32 bytes over 10,000 keys. */
  readonly operations: number;
}

/** redis-benchmark, or valkey-benchmark: its SETs, then its GETs. */
export function redisBenchmarkArm(
  binary: { name: string; path: string; env: NodeJS.ProcessEnv },
  load: Load,
): Arm {
  const { port, connections, pipeline, operations } = load;
  const options = {
    '-p': port,
    '-c': connections,
    '-P': pipeline,
    '-n': operations / 2,
    '-d': 32,
    '-r': 10_000,
    '-t': 'set,get',
  };
  return wholeProcessArm(binary, [...Object.entries(options).flat().map(String), '-q'], operations);
}

/** memtier_benchmark with one thread. */
export function memtierArm(binary: { name: string; path: string; env: NodeJS.ProcessEnv }, load: Load): Arm {
  const { port, connections, pipeline, operations } = load;
  const options = {
    ...{ port, threads: 1, clients: connections, pipeline, requests: operations / connections },
    ...{ ratio: '1:1', 'data-size': 32, 'key-maximum': 10_000 },
  };
  const args = Object.entries(options).map(([key, value]) => `--${key}=${value}`);
  return wholeProcessArm(binary, [...args, '--hide-histogram'], operations);
}

/** A tool written in C, counted whole: its start is a few milliseconds. The shell's `times` is the rusage of its child. */
function wholeProcessArm(
  binary: { name: string; path: string; env: NodeJS.ProcessEnv },
  args: readonly string[],
  operations: number,
): Arm {
  return {
    name: binary.name,
    async measure() {
      const started = performance.now();
      const { stdout } = await run(
        'sh',
        ['-c', '"$@" >/dev/null 2>&1 || exit 1; times', 'sh', binary.path, ...args],
        {
          env: { ...process.env, ...binary.env },
        },
      );
      const opsPerSecond = operations / ((performance.now() - started) / 1000);
      const [, children = ''] = stdout.trim().split('\n');
      const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
        (sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest),
        0,
      );
      return { cpuMicrosPerOp: (seconds * 1e6) / operations, opsPerSecond };
    },
  };
}

export async function findOnPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}
