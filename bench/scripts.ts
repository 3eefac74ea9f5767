/** What a command costs in a script, beside the built-in mix of GET and SET, with ioredis: in turn in one process. */
import { fileURLToPath } from 'node:url';
import { medianInterval } from '../src/aggregate/stats/sign-test.ts';
import { answer, childArgument, runInChild } from './child.ts';
import { drivePoolbench } from './load-arm.ts';
import type { Question } from './question.ts';

interface Child {
  readonly port: number;
  readonly script: string;
  readonly commands: number;
  readonly pairs: number;
}

/** Microseconds of client CPU for a command. */
interface Pair {
  readonly script: number;
  readonly builtIn: number;
}

const connections = 50;
const seconds = 0.6;

/** The scripts, with the commands in a session of each. */
const scripts = [
  ['get-or-set.mjs', 1],
  ['get-and-set.mjs', 2],
] as const;

/** Judged by their pairs: a single one of such short windows says little, their median does. */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title(
    'A script of GET and SET, and the built-in mix, ioredis, in turn in one process, 50 connections',
  );
  const rows: string[][] = [];
  for (const [name, commands] of scripts) {
    const script = fileURLToPath(new URL(name, import.meta.url));
    const child: Child = { port: server.port, script, commands, pairs: 5 * rounds };
    const pairs = await runInChild<Pair[]>(fileURLToPath(import.meta.url), child);
    const { median, low, high } = medianInterval(pairs.map(({ script, builtIn }) => script / builtIn));
    rows.push([
      name,
      `${commands}`,
      `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`,
      `${pairs.length}`,
      'at most 1.10',
    ]);
  }
  report.table(
    ['script', 'commands a session', 'client CPU per command, ratio [interval]', 'pairs', 'goal'],
    rows,
  );
};

const child = childArgument<Child>(import.meta.url);
if (child !== undefined) {
  const load = { client: 'ioredis', port: child.port, connections, pipeline: 1, seconds } as const;
  const drive = {
    script: async () =>
      (await drivePoolbench({ ...load, script: child.script })).cpuMicrosPerOp / child.commands,
    builtIn: async () => (await drivePoolbench(load)).cpuMicrosPerOp,
  };
  // Not counted: V8 compiles.
  await drive.script();
  await drive.builtIn();
  const measured: Pair[] = [];
  for (let pair = 0; pair < child.pairs; pair++) {
    // Who comes first changes from pair to pair.
    const builtInFirst = pair % 2 === 1 ? await drive.builtIn() : undefined;
    const script = await drive.script();
    measured.push({ script, builtIn: builtInFirst ?? (await drive.builtIn()) });
  }
  answer(measured);
}
