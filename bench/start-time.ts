import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Question } from './question.ts';
import { range } from './report.ts';

const cli = fileURLToPath(new URL('../dist/main/cli.js', import.meta.url));

/** Seconds from the start of the compiled command line to its first measured operation, with 4 threads. */
async function measureStart(port: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-start-'));
  const config = join(folder, 'start.json');
  await writeFile(
    config,
    JSON.stringify({
      name: 'start',
      target: { server: 'redis', url: `redis://127.0.0.1:${port}/0` },
      scenarios: [{ client: ['wire'], pools: [4], workers: [8] }],
      ...{ rounds: 1, seconds: 0.5, warmupSeconds: 0 },
    }),
  );
  try {
    const startedAtMs = Date.now();
    const child = spawn(process.execPath, [cli, config, '--out', folder, '--json', '--quiet'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text;
    });
    await new Promise(resolve => child.once('close', resolve));
    const { finishedAt } = JSON.parse(output) as { finishedAt: string };
    // The window is 0.5 s and closed before `finishedAt`: what lies between is counted as start, so this is an upper bound.
    return (Date.parse(finishedAt) - startedAtMs) / 1000 - 0.5;
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const ask: Question = async ({ server, report, rounds }) => {
  const starts: number[] = [];
  for (let round = 0; round < rounds; round++) starts.push(await measureStart(server.port));
  report.title('Start');
  report.say(
    `From \`node dist/main/cli.js\` to the first measured operation, 4 threads: ${range(starts, 2)} s (goal: under 2 s)\n`,
  );
};
