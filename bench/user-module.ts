/**
 * What a module of the user's costs: the example, which wraps ioredis, and the built-in ioredis, in turn in one process, so
 * that both run the same compiled code of ioredis on the same machine's mood.
 */
import { fileURLToPath } from 'node:url';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { answer, childArgument, runInChild } from './child.ts';
import { drivePoolbench, type WindowFigures } from './load-arm.ts';
import type { Question } from './question.ts';

interface Child {
  readonly port: number;
  readonly pipeline: number;
  readonly pairs: number;
}

interface Pair {
  readonly module: WindowFigures;
  readonly builtIn: WindowFigures;
}

const connections = 50;
const seconds = 0.6;
const clientFile = fileURLToPath(new URL('../configs/examples/my-client.mjs', import.meta.url));

/** Judged by their pairs: a single one of such short windows says little, their median does. */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title('A module that wraps ioredis, and the built-in, in turn in one process, 50 connections');
  const rows: string[][] = [];
  for (const pipeline of [1, 10]) {
    const child: Child = { port: server.port, pipeline, pairs: 5 * rounds };
    const pairs = await runInChild<Pair[]>(fileURLToPath(import.meta.url), child);
    const ratio = (key: keyof WindowFigures) => {
      const { median, low, high } = medianInterval(
        pairs.map(({ module, builtIn }) => module[key] / builtIn[key]),
      );
      return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
    };
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

const child = childArgument<Child>(import.meta.url);
if (child !== undefined) {
  const load = { port: child.port, connections, pipeline: child.pipeline, seconds } as const;
  const drive = {
    module: () => drivePoolbench({ client: './my-client.mjs', clientFile, ...load }),
    builtIn: () => drivePoolbench({ client: 'ioredis', ...load }),
  };
  // Not counted: V8 compiles.
  await drive.module();
  await drive.builtIn();
  const measured: Pair[] = [];
  for (let pair = 0; pair < child.pairs; pair++) {
    // Who comes first changes from pair to pair.
    const builtInFirst = pair % 2 === 1 ? await drive.builtIn() : undefined;
    const module = await drive.module();
    measured.push({ module, builtIn: builtInFirst ?? (await drive.builtIn()) });
  }
  answer(measured);
}
