import { formatPlural } from '../../aggregate/text/format.ts';
import type { Experiment } from '../config/experiment.ts';
import { describeWorkload } from './describe-workload.ts';
import { estimateSeconds, type Plan } from './rounds.ts';
import { type Scenario, shortId } from './scenarios.ts';

const columns = 80;
/** Rows of the table that are shown; the rest is counted. */
const mostRows = 40;

/** What is going to be measured and how long it takes, for a reader; no line is longer than 80 columns. */
export function describePlan(experiment: Experiment, plan: Plan): string {
  const { scenarios, rounds, seconds, warmupSeconds } = plan;
  const measurements = rounds.reduce((sum, round) => sum + round.length, 0);
  const lines = [
    `Plan: ${experiment.name}`,
    `  ${formatPlural(scenarios.length, 'scenario')} × ${formatPlural(rounds.length, 'round')} = ${formatPlural(measurements, 'measurement')}`,
    `  each: ${seconds} s, after ${warmupSeconds} s of warm-up`,
    `  order: shuffled anew every round, seed ${experiment.seed}`,
    ...describeWorkload(experiment.workload).map(line => `  ${line}`),
    `  duration: about ${formatDuration(estimateSeconds(plan))}`,
    ...(rounds.length < 5 ? ['  verdict: none, as that takes 5 rounds'] : []),
    '',
    ...describeScenarios(scenarios),
  ];
  return `${lines.map(cut).join('\n')}\n`;
}

/** `2 min 48 s`, `25 s`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A table of the scenarios; those that differ in nothing but workers share a row. */
function describeScenarios(scenarios: readonly Scenario[]): string[] {
  const rows = new Map<string, { cells: string[]; workers: number[] }>();
  for (const scenario of scenarios) {
    const { client, preset, pools, threads, workers } = scenario;
    const further = scenario.id.slice(shortId(scenario).length + 1);
    const cells = [client, preset, String(pools), String(threads), further];
    const key = cells.join(' ');
    const row = rows.get(key) ?? { cells, workers: [] };
    row.workers.push(workers);
    rows.set(key, row);
  }
  const shown = [...rows.values()].slice(0, mostRows);
  const table = [
    ['client', 'pool', 'pools', 'threads', 'also', 'workers'],
    ...shown.map(({ cells, workers }) => [...cells, workers.join(' ')]),
  ];
  const widths = table[0]?.map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0))) ?? [];
  const hasFurther = shown.some(({ cells }) => cells[4] !== '');
  const left = rows.size - shown.length;
  return [
    ...table.map(row => {
      const padded = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
      return `  ${padded.filter((_, column) => column !== 4 || hasFurther).join('  ')}`.trimEnd();
    }),
    ...(left > 0 ? [`  … and ${left} more`] : []),
  ];
}

function cut(line: string): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
