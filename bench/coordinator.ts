import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Question } from './question.ts';
import { range } from './report.ts';

const cli = fileURLToPath(new URL('../dist/main/cli.js', import.meta.url));
const windowSeconds = 5;
const lookMs = 100;

/** Nanoseconds that the main thread has run, and all threads together. */
interface Look {
  readonly atMs: number;
  readonly mainNs: number;
  readonly allNs: number;
}

/** The share of a core that the coordinator, the main thread of `poolbench`, takes while its threads load a server. */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title('The coordinator while the load runs');
  if (process.platform !== 'linux') {
    report.say('Not measured: it takes the CPU of single threads, which only Linux tells here.\n');
    return;
  }
  const shares: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const share = await measureShare(server.port);
    if (share !== undefined) shares.push(share);
  }
  if (shares.length < rounds)
    report.say(
      `In ${rounds - shares.length} of ${rounds} rounds the threads were not busy for long at a time.\n`,
    );
  if (shares.length === 0) return;
  report.say(
    `Share of a core, 2 threads with wire and 25 workers each, no terminal: ${range(
      shares.map(share => share * 100),
      2,
    )} % (goal: under 2 %)\n`,
  );
};

async function measureShare(port: number): Promise<number | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-coordinator-'));
  const config = join(folder, 'coordinator.json');
  await writeFile(
    config,
    JSON.stringify({
      name: 'coordinator',
      target: { server: 'redis', url: `redis://127.0.0.1:${port}/0` },
      scenarios: [{ client: ['wire'], pools: [2], workers: [50] }],
      ...{ rounds: 1, seconds: windowSeconds, warmupSeconds: 0.5 },
    }),
  );
  try {
    const child = spawn(process.execPath, [cli, config, '--out', folder], { stdio: 'ignore' });
    const ended = new Promise(resolve => child.once('close', resolve));
    const looks: Look[] = [];
    while (child.exitCode === null && child.signalCode === null) {
      const look = lookAt(child.pid ?? 0);
      if (look !== undefined) looks.push(look);
      await sleep(lookMs);
    }
    await ended;
    return shareUnderLoad(looks);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Within the window alone: start, prefill, warm-up of the threads, warm-up and writing are left out. Undefined where no window is to be
 * seen, because others took the cores.
 */
function shareUnderLoad(looks: readonly Look[]): number | undefined {
  const busy = looks.map((look, index) => {
    const before = looks[index - 1];
    return before !== undefined && (look.allNs - before.allNs) / 1e6 > 0.7 * (look.atMs - before.atMs);
  });
  // The window is the longest stretch without a pause.
  let longest = { from: 0, to: 0 };
  for (let from = 0; from < busy.length; from++) {
    if (busy[from] !== true) continue;
    let to = from;
    while (busy[to + 1] === true) to++;
    if (to - from > longest.to - longest.from) longest = { from, to };
    from = to;
  }
  const first = looks[longest.from + 10];
  const last = looks[longest.to - 3];
  if (first === undefined || last === undefined || last.atMs - first.atMs < (windowSeconds * 1000) / 2)
    return undefined;
  return (last.mainNs - first.mainNs) / 1e6 / (last.atMs - first.atMs);
}

function lookAt(pid: number): Look | undefined {
  try {
    const ran = (thread: string) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
    const threads = readdirSync(`/proc/${pid}/task`);
    return {
      atMs: performance.now(),
      mainNs: ran(String(pid)),
      allNs: threads.reduce((sum, thread) => sum + ran(thread), 0),
    };
  } catch {
    // It has ended, or one of its threads has, in between.
    return undefined;
  }
}
