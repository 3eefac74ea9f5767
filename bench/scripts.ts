/** What a command costs in a script, beside the built-in mix of GET and SET, with ioredis: in turn in one process. */
import { fileURLToPath } from 'node:url';
import { describeRatio, measurePairs, pairedWindow } from './load-pairs.ts';
import type { Question } from './question.ts';

/** The scripts, with the commands in a session of each. */
const scripts = [
  ['get-or-set.mjs', 1],
  ['get-and-set.mjs', 2],
] as const;

export const ask: Question = async ({ server, report, rounds }) => {
  report.title(
    'A script of GET and SET, and the built-in mix, ioredis, in turn in one process, 50 connections',
  );
  const rows: string[][] = [];
  for (const [name, commands] of scripts) {
    const builtIn = { ...pairedWindow, client: 'ioredis', port: server.port, pipeline: 1 } as const;
    const script = fileURLToPath(new URL(name, import.meta.url));
    const pairs = await measurePairs({ load: { ...builtIn, script }, builtIn, pairs: 5 * rounds });
    const ratio = describeRatio(
      pairs,
      ({ load, builtIn }) => load.cpuMicrosPerOp / commands / builtIn.cpuMicrosPerOp,
    );
    rows.push([name, `${commands}`, ratio, `${pairs.length}`, 'at most 1.10']);
  }
  report.table(
    ['script', 'commands a session', 'client CPU per command, ratio [interval]', 'pairs', 'goal'],
    rows,
  );
};
