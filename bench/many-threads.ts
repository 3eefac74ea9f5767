import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Result } from '../src/aggregate/result.ts';
import type { Question } from './question.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../dist/main/cli.js', import.meta.url));
const threads = 64;

/** A whole run with 64 threads: does it end, how long does it take beside its windows, and do its books balance? */
export const ask: Question = async ({ server, report }) => {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-threads-'));
  const config = join(folder, 'threads.json');
  const times = { rounds: 2, seconds: 1, warmupSeconds: 0.5 };
  await writeFile(
    config,
    JSON.stringify({
      name: 'threads',
      target: { server: 'redis', url: `redis://127.0.0.1:${server.port}/0` },
      scenarios: [{ client: ['wire', 'ioredis'], pools: [threads], workers: [threads * 4] }],
      ...times,
    }),
  );
  try {
    const startMs = performance.now();
    const { stdout } = await run(process.execPath, [cli, config, '--out', folder, '--json', '--quiet'], {
      maxBuffer: 256 * 1024 * 1024,
    });
    const wallSeconds = (performance.now() - startMs) / 1000;
    const { scenarios, complete } = JSON.parse(stdout) as Result;
    const loadSeconds = scenarios.length * times.rounds * (times.seconds + times.warmupSeconds);
    report.title(`${threads} threads`);
    report.table(
      ['client', 'ops/s', 'issued − completed − failed − unfinished', 'failed'],
      scenarios.map(({ client, rounds }) => {
        const sum = (of: (round: (typeof rounds)[number]) => number) =>
          rounds.reduce((total, round) => total + of(round), 0);
        const failed = sum(round => Object.values(round.failed).reduce((all, count) => all + count, 0));
        return [
          client,
          (sum(round => round.opsPerSecond) / rounds.length).toFixed(0),
          String(sum(round => round.issued - round.completed - round.unfinished) - failed),
          String(failed),
        ];
      }),
    );
    report.say(
      `${complete ? 'Complete' : 'Not complete'} after ${wallSeconds.toFixed(1)} s, ${loadSeconds} of them load.\n`,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
};
