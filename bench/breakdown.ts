import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram } from '../src/main/server/server-process.ts';
import type { NodeArm } from './arm.ts';
import type { ArmFigures } from './load-arm.ts';
import type { Question } from './question.ts';

const run = promisify(execFile);
const seconds = 5;
/** Node's start and the warm-up are over by then. */
const startMs = 2500;

/** Where a sample belongs, by the first pattern that its "object symbol" matches. JavaScript is named by its files. */
const parts: readonly (readonly [name: string, pattern: RegExp])[] = [
  [
    'kernel: write',
    /^\[kernel.*(sendmsg|_write|tcp_(write|push|transmit|rcv|ack|v4)|ip_|loopback|dev_|skb|net_rx|sock_def|wake|ttwu)/,
  ],
  ['kernel: the rest', /^\[kernel|^\[guest/],
  ['clock', /\[vdso\]|clock_gettime|PerformanceNow|nowNs| now node:internal\/perf/],
  [
    'JavaScript: pool',
    /pool\/(pool|shared-pool|connection-pool|maintenance|metrics|wait-queue|circuit-breaker)\.ts/,
  ],
  ['JavaScript: histograms and counters', /latency-counts|recorder\.ts|shared-state/],
  ['JavaScript: keys and requests', /workload|prng|request-encoder|request-templates/],
  ['JavaScript: replies', /resp-scanner|whole-strings/],
  [
    'JavaScript: connection and loop, with what is inlined there',
    /wire-connection|client\/(socket|batch)|closed-loop|load-workers/,
  ],
  ["JavaScript: Node's own", /JS:.* node:/],
  ['libuv', /uv_|uv__/],
  ["Node's C++ (handles, callbacks)", /node::/],
  [
    'V8: compiling and collecting garbage',
    /v8::internal::(compiler|.*Scaveng|.*Mark|.*Sweep|.*Turboshaft|maglev|baseline)/,
  ],
  ['V8: calls into C++ and back, builtins', /v8::|Builtins_|JS:|\.map|perf-/],
  ['libc', /libc|libpthread|ld-linux|libstdc/],
];

/** What the CPU of an operation goes to, by sampling: takes `perf`, and a kernel that lets it see itself. */
export const ask: Question = async ({ server, report }) => {
  report.title('What an operation costs, by part: wire, 50 connections, sampled');
  const perf = await findProgram('perf');
  if (perf === undefined) {
    report.say('Left out: `perf` is not on PATH.\n');
    return;
  }
  const columns: Awaited<ReturnType<typeof measure>>[] = [];
  for (const pipeline of [1, 100]) columns.push(await measure(perf, server.port, pipeline));
  report.table(
    ['µs/op', 'depth 1', 'depth 100'],
    [...parts.map(([name]) => name), 'anything else', 'all'].map(name => [
      name,
      ...columns.map(({ cpuMicrosPerOp, shares }) => {
        const share = name === 'all' ? 1 : (shares.get(name) ?? 0);
        return (cpuMicrosPerOp * share).toFixed(3);
      }),
    ]),
  );
};

async function measure(perf: string, port: number, pipeline: number) {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-perf-'));
  try {
    const data = join(folder, 'perf.data');
    const arm: NodeArm = { driver: 'poolbench', client: 'wire', port, connections: 50, pipeline, seconds };
    const file = fileURLToPath(new URL('arm.ts', import.meta.url));
    const record = ['record', '-q', '-e', 'cpu-clock', '-F', '4000', '-D', String(startMs), '-o', data];
    const loader = ['--import', import.meta.resolve('tsx')];
    const node = [process.execPath, '--perf-basic-prof', ...loader, file, JSON.stringify(arm)];
    const { stdout } = await run(perf, [...record, ...node], { cwd: folder });
    const report = ['report', '-q', '-i', data, '--stdio', '--no-children', '-g', 'none', '--comm', 'node'];
    const { stdout: samples } = await run(perf, [...report, '-F', 'sample,dso,sym', '-t', ';'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const { cpuMicrosPerOp } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as ArmFigures;
    return { cpuMicrosPerOp, shares: sharesOf(samples) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function sharesOf(samples: string): Map<string, number> {
  const counts = new Map<string, number>();
  let all = 0;
  for (const line of samples.split('\n')) {
    const [count = '', object = '', symbol = ''] = line.split(';').map(cell => cell.trim());
    if (!/^\d+$/.test(count)) continue;
    const text = `${object} ${symbol}`;
    const name = parts.find(([, pattern]) => pattern.test(text))?.[0] ?? 'anything else';
    counts.set(name, (counts.get(name) ?? 0) + Number(count));
    all += Number(count);
  }
  return new Map([...counts].map(([name, count]) => [name, count / all]));
}
