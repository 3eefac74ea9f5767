/** What a module of the user's costs: the example, which wraps ioredis, and the built-in ioredis, in turn in one process. */
import { fileURLToPath } from 'node:url';
import type { WindowFigures } from './load-arm.ts';
import { describeRatio, measurePairs, pairedWindow } from './load-pairs.ts';
import type { Question } from './question.ts';

const module = {
  client: './my-client.mjs',
  clientFile: fileURLToPath(new URL('../configs/examples/my-client.mjs', import.meta.url)),
} as const;

export const ask: Question = async ({ server, report, rounds }) => {
  report.title('A module that wraps ioredis, and the built-in, in turn in one process, 50 connections');
  const rows: string[][] = [];
  for (const pipeline of [1, 10]) {
    const builtIn = { ...pairedWindow, client: 'ioredis', port: server.port, pipeline } as const;
    const pairs = await measurePairs({ load: { ...builtIn, ...module }, builtIn, pairs: 5 * rounds });
    const ratio = (key: keyof WindowFigures) =>
      describeRatio(pairs, ({ load, builtIn }) => load[key] / builtIn[key]);
    rows.push([
      `${pipeline}`,
      ratio('cpuMicrosPerOp'),
      ratio('opsPerSecond'),
      `${pairs.length}`,
      'within 5 %',
    ]);
  }
  report.table(
    ['depth', 'client CPU per operation, ratio [interval]', 'operations per second', 'pairs', 'goal'],
    rows,
  );
};
