import { setTimeout as sleep } from 'node:timers/promises';
import { runNpmStart } from './child.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';
import type { BenchServer } from './server.ts';

/** Interval at which the server is asked whether it has answered an operation of the load. */
const lookMs = 5;

/** Seconds from `npm start`, compiled, to the first operation that the server has answered, and to the measured window. */
async function measureStart(server: BenchServer): Promise<{ operation: number; window: number }> {
  const url = `redis://127.0.0.1:${server.port}/10`;
  const before = await server.gets();
  let operationMs: number | undefined;
  let isOver = false;
  const looking = (async () => {
    while (!isOver && operationMs === undefined) {
      if ((await server.gets()) > before) operationMs = Date.now();
      await sleep(lookMs);
    }
  })();
  const load = ['--client', 'wire', '--pools', '4', '--workers', '8', '--rounds', '1', '--seconds', '0.5'];
  const { result, beganMs } = await runNpmStart([url, ...load, '--warmup', '0', '--force']);
  isOver = true;
  await looking;
  const startedAt = result.scenarios[0]?.rounds[0]?.startedAt;
  if (operationMs === undefined || !startedAt) throw new Error('expected an operation and a window');
  return { operation: (operationMs - beganMs) / 1000, window: (Date.parse(startedAt) - beganMs) / 1000 };
}

export const ask: Question = async ({ server, report, rounds }) => {
  const starts: Awaited<ReturnType<typeof measureStart>>[] = [];
  for (let round = 0; round < rounds; round++) starts.push(await measureStart(server));
  report.title('Start');
  report.table(
    ['from `npm start`, compiled, 4 threads of wire, to', 's', 'limit'],
    [
      [
        'the first operation, in the warm-up of the threads',
        range(
          starts.map(({ operation }) => operation),
          2,
        ),
        '≤ 2',
      ],
      [
        'the first measured operation',
        range(
          starts.map(({ window }) => window),
          2,
        ),
        '',
      ],
    ],
  );
};
