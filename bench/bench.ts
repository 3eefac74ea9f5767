/**
 * `npm run bench`: every question of the bench, on a redis-server of its own on loopback; `npm run bench -- NAME…` asks
 * some of them. ROUNDS in the environment says how often each arm is measured (3). Arms alternate within every round,
 * and only ratios within a round are judged: absolute figures drift with the machine.
 */
import os from 'node:os';
import type { Question } from './question.ts';
import { Report } from './report.ts';
import { startBenchServer } from './server.ts';

const questions: Record<string, () => Promise<{ ask: Question }>> = {
  goals: () => import('./goals.ts'),
  transports: () => import('./transports.ts'),
  threaded: () => import('./threaded.ts'),
  clients: () => import('./clients.ts'),
  breakdown: () => import('./breakdown.ts'),
  ioredis: () => import('./ioredis-overhead.ts'),
  module: () => import('./user-module.ts'),
  scripts: () => import('./scripts.ts'),
  pools: () => import('./pool-pair.ts'),
  measuring: () => import('./measuring.ts'),
  coordinator: () => import('./coordinator.ts'),
  merge: () => import('./merge.ts'),
  'many-rounds': () => import('./many-rounds.ts'),
  start: () => import('./start-time.ts'),
  verdict: () => import('./verdict-time.ts'),
  memory: () => import('./thread-memory.ts'),
  connections: () => import('./connections.ts'),
  threads: () => import('./many-threads.ts'),
  agents: () => import('./agents-scale.ts'),
  aa: () => import('./aa.ts'),
  operating: () => import('./operating-characteristics.ts'),
  gate: () => import('./gate.ts'),
};

const asked = process.argv.slice(2);
const unknown = asked.filter(name => !(name in questions));
if (unknown.length > 0) {
  console.error(`Expected some of ${Object.keys(questions).join(', ')}, found ${unknown.join(', ')}`);
  process.exit(2);
}
const rounds = Number(process.env.ROUNDS ?? 3);
const report = new Report();
const server = await startBenchServer();
try {
  const cpu = `${os.cpus()[0]?.model ?? 'unknown CPU'} × ${os.availableParallelism()}`;
  report.say(
    `Node ${process.version}, ${cpu}, Redis ${server.version}, ${rounds} rounds: medians with the lowest and highest.\n`,
  );
  for (const [name, load] of Object.entries(questions)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    const { ask } = await load();
    await ask({ server, report, rounds });
  }
} finally {
  await server.stop();
}
console.log(`Written: ${report.write()}`);
