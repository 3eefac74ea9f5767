/**
 * `npm run bench:reconnect`: a redis-server of its own is shut down under 500 workers and started again after a while.
 * How many connects are tried meanwhile, what they cost, and how soon the load is served again: with the pool's circuit
 * breaker, and without it, in turn. Every arm is a process of its own; both clocks read the machine's monotonic one.
 */
import { spawn } from 'node:child_process';
import { connect as connectSocket } from 'node:net';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { median } from '../src/aggregate/stats/statistics.ts';
import { findServerBinary } from '../src/main/server/find-server.ts';
import { startServer } from '../src/main/server/server-process.ts';
import { nowNs } from '../src/pool/clock.ts';
import { type Look, type ReconnectArm, workers } from './reconnect-arm.ts';

const clients = ['ioredis', 'wire'] as const;
const rounds = Number(process.env.ROUNDS ?? 5);
const steadySeconds = 1.5;
const outageSeconds = 3;
const recoverySeconds = 2.5;
/** Of the throughput before, over this many looks in a row, is full throughput. */
const fullShare = 0.9;
const looksInARow = 5;

interface Figures {
  /** From the shutdown until the server listened again. */
  readonly outageMs: number;
  readonly connectsInOutage: number;
  readonly clientCoresInOutage: number;
  /** From then on. */
  readonly connectsAfter: number;
  readonly firstReplyMs: number;
  readonly fullThroughputMs: number;
}

const binary = await findServerBinary('redis', console.log);
if ('reason' in binary) throw new Error(binary.reason);

async function measure(arm: Omit<ReconnectArm, 'port' | 'seconds'>): Promise<Figures> {
  let server = await startServer('redis', binary as Exclude<typeof binary, { reason: string }>, {});
  const { port } = server;
  const seconds = steadySeconds + outageSeconds + recoverySeconds;
  const looks = runArm({ ...arm, port, seconds: seconds + 1 });
  await untilBusy(port);
  const steadyNs = nowNs();
  await sleep(steadySeconds * 1000);
  const downNs = nowNs();
  await server.stop();
  await sleep(outageSeconds * 1000 - (nowNs() - downNs) / 1e6);
  const [restarted, upNs] = await Promise.all([
    startServer('redis', binary as Exclude<typeof binary, { reason: string }>, { port }),
    untilItListens(port),
  ]);
  server = restarted;
  const figures = judge(await looks, { steadyNs, downNs, upNs });
  await server.stop();
  return figures;
}

function judge(
  looks: readonly Look[],
  { steadyNs, downNs, upNs }: { steadyNs: number; downNs: number; upNs: number },
): Figures {
  const at = (ns: number) => looks.findLast(look => look.ns <= ns) ?? (looks[0] as Look);
  const [steady, down, up] = [at(steadyNs), at(downNs), at(upNs)];
  const last = looks.at(-1) as Look;
  const perNs = (down.completed - steady.completed) / (down.ns - steady.ns);
  const after = looks.filter(look => look.ns > upNs);
  const full = after.find((look, index) => {
    const later = after[index + looksInARow];
    return (
      later !== undefined && (later.completed - look.completed) / (later.ns - look.ns) >= fullShare * perNs
    );
  });
  const ms = (look: Look | undefined) =>
    look === undefined ? Number.POSITIVE_INFINITY : (look.ns - upNs) / 1e6;
  return {
    outageMs: (upNs - downNs) / 1e6,
    connectsInOutage: up.connects - down.connects,
    clientCoresInOutage: ((up.cpuMicros - down.cpuMicros) * 1000) / (up.ns - down.ns),
    connectsAfter: last.connects - up.connects,
    firstReplyMs: ms(after.find(look => look.completed > up.completed)),
    fullThroughputMs: ms(full),
  };
}

function runArm(arm: ReconnectArm): Promise<Look[]> {
  const file = fileURLToPath(new URL('reconnect-arm.ts', import.meta.url));
  const tsx = fileURLToPath(new URL('../node_modules/tsx/dist/cli.mjs', import.meta.url));
  const child = spawn(process.execPath, [tsx, file, JSON.stringify(arm)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text;
  });
  return new Promise(resolve => child.once('close', () => resolve(JSON.parse(output) as Look[])));
}

function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connectSocket(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Resolves to when it began to listen, to a few milliseconds. */
async function untilItListens(port: number): Promise<number> {
  while (!(await listens(port))) await sleep(2);
  return nowNs();
}

/** The arm's process is up and loads the server: it has done some hundred thousand operations a second later. */
async function untilBusy(port: number): Promise<void> {
  const { Redis } = await import('ioredis');
  const redis = new Redis(port, '127.0.0.1');
  while (!/cmdstat_get:calls=\d{4}/.test(await redis.info('commandstats'))) await sleep(10);
  redis.disconnect();
}

const figures = new Map<string, Figures[]>();
for (let round = 0; round < rounds; round++) {
  const arms = clients.flatMap(client => [true, false].map(breaker => ({ client, breaker })));
  for (const arm of round % 2 === 0 ? arms : arms.toReversed()) {
    const name = `${arm.client}, ${arm.breaker ? 'with' : 'without'} breaker`;
    figures.set(name, [...(figures.get(name) ?? []), await measure(arm)]);
  }
}
console.log(
  `Node ${process.version}, ${os.cpus()[0]?.model} × ${os.availableParallelism()}, Redis ${binary.version}, ${workers} workers, one lock-free pool, ` +
    `shut down for ${outageSeconds} s, ${rounds} rounds; medians with the lowest and highest round\n`,
);
const columns: [string, keyof Figures, number][] = [
  ['connects while it was away', 'connectsInOutage', 0],
  ['client cores meanwhile', 'clientCoresInOutage', 2],
  ['connects afterwards', 'connectsAfter', 0],
  ['first reply after, ms', 'firstReplyMs', 0],
  ['90 % of the throughput after, ms', 'fullThroughputMs', 0],
];
console.log(`| arm | ${columns.map(([title]) => title).join(' | ')} |`);
console.log(`| --- |${columns.map(() => ' ---: |').join('')}`);
for (const [name, list] of figures) {
  const cells = columns.map(([, key, digits]) => {
    const values = list.map(one => one[key]);
    const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)];
    return `${middle.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
  });
  console.log(`| ${name} | ${cells.join(' | ')} |`);
}
