import { runNpmStart } from './child.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';

/** Each takes half a minute. */
const maxRuns = 3;
/** What a newcomer asks, by its flags. */
const asked = { 'do several pools pay': [], 'ioredis or wire': ['--client', 'ioredis,wire'] } as const;

/** Seconds from `npm start -- URL` to the verdict: the run has ended, and its results are written. */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title('Time to a verdict');
  const url = `redis://127.0.0.1:${server.port}/11`;
  const rows: string[][] = [];
  for (const [question, flags] of Object.entries(asked)) {
    const seconds: number[] = [];
    const ended: string[] = [];
    for (let run = 0; run < Math.min(rounds, maxRuns); run++) {
      const { result, beganMs, endedMs } = await runNpmStart([url, ...flags, '--force']);
      seconds.push((endedMs - beganMs) / 1000);
      const done = Math.max(...result.scenarios.map(scenario => scenario.rounds.length));
      ended.push(`${result.ended ?? 'ended early'}, ${done} rounds`);
    }
    rows.push([question, range(seconds, 1), ended.join('; ')]);
  }
  report.table(['question, with its defaults', 's to the verdict', 'why each run ended'], rows);
};
