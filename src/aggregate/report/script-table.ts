import type { ScenarioResult } from '../result.ts';
import { loadsOf, type ScenarioLoad } from '../stats/populations.ts';
import { median, sumOf } from '../stats/statistics.ts';
import { formatCount, formatKnown, formatMs } from '../text/format.ts';
import { type Block, figures, heading, list, note, only, table, wide, words } from './blocks.ts';

const stepNote =
  'Steps are the named parts of sessions. Counts are over all rounds, and latencies are medians over the rounds, without the time in think. Steps of unfinished sessions are left out.';

/** The steps of a name in one load. */
interface StepRow {
  readonly id: string;
  readonly name: string;
  readonly completed: number;
  readonly failed: number;
  /** Null if it never completed. */
  readonly p50: number | null;
  readonly p99: number | null;
}

function stepRows({ id, rounds }: ScenarioLoad): StepRow[] {
  const steps = rounds.flatMap(({ script }) => script?.steps ?? []);
  return [...new Set(steps.map(({ name }) => name))].map(name => {
    const ofName = steps.filter(step => step.name === name);
    const timed = ofName.filter(({ completed }) => completed > 0);
    const medianOf = (key: 'p50' | 'p99') =>
      timed.length === 0 ? null : median(timed.map(({ latency }) => latency[key]));
    return {
      ...{ id, name, p50: medianOf('p50'), p99: medianOf('p99') },
      completed: sumOf(ofName, step => step.completed),
      failed: sumOf(ofName, step => step.failed),
    };
  });
}

/** The first message of each code by which sessions failed. */
function messagesOf(loads: readonly ScenarioLoad[]): Map<string, string> {
  const first = new Map<string, string>();
  for (const { script } of loads.flatMap(({ rounds }) => rounds))
    for (const [code, message] of Object.entries(script?.messages ?? {}))
      if (!first.has(code)) first.set(code, message);
  return first;
}

/** The contents of the sessions of a script; empty without one. */
export function scriptBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const loads = scenarios.flatMap(loadsOf);
  const rows = loads.flatMap(stepRows);
  const messages = messagesOf(loads);
  return [
    ...(rows.length === 0
      ? []
      : [
          ...only(wide, [heading(2, 'Steps'), note(stepNote)]),
          table<StepRow>(
            rows,
            [
              words('scenario', ({ id }) => id),
              words('step', ({ name }) => name),
              figures('completed', ({ completed }) => formatCount(completed)),
              figures('failed', ({ failed }) => formatCount(failed)),
              figures('p50 ms', ({ p50 }) => formatKnown(p50, formatMs)),
              figures('p99 ms', ({ p99 }) => formatKnown(p99, formatMs)),
            ],
            'Steps of sessions',
          ),
        ]),
    ...(messages.size === 0
      ? []
      : [
          ...only(wide, [heading(2, 'Errors of sessions')]),
          list([...messages].map(([code, message]) => ({ text: `${code}, first message: ${message}` }))),
        ]),
  ];
}
