import type { Arrival } from '../../aggregate/scenario/arrival.ts';
import { formatDuration, formatList, formatPlural } from '../../aggregate/text/format.ts';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import { describeWorkload } from './describe-workload.ts';
import { estimateSeconds, type Plan } from './plan.ts';
import { type LabelledScenario, labelScenarios } from './scenarios.ts';

const columns = 80;
/** Rows of the table that are shown; the rest is counted. */
const mostRows = 40;

/** What is going to be measured and how long it takes, for a reader; no line is longer than 80 columns. */
export function describePlan(plan: Plan): string {
  const [first] = plan.sides;
  if (first === undefined) return '';
  const { experiment, scenarios } = first;
  const { rounds, seconds, warmupSeconds } = experiment;
  const turns = plan.rounds.flat().filter(({ side }) => side === 0);
  const lines = [
    `Plan: ${experiment.name}`,
    `  ${formatPlural(scenarios.length, 'scenario')} × ${formatPlural(rounds, 'round')} = ${formatPlural(turns.length, 'measurement')}`,
    `  each: ${seconds} s, after ${warmupSeconds} s of warm-up`,
    `  order: shuffled anew every round, seed ${experiment.seed}`,
    ...describeWorkload(experiment.workload).map(line => `  ${line}`),
    `  duration: about ${formatDuration(estimateSeconds(plan, turns))}`,
    ...(rounds < 5 ? ['  verdict: none, as that takes 5 rounds'] : []),
    '',
    ...describeScenarios(labelScenarios(experiment.scenarios)),
  ];
  return `${lines.map(cut).join('\n')}\n${describeSides(plan)}`;
}

/** What several sides make of the plan of the first; nothing of one alone. */
function describeSides(plan: Plan): string {
  if (plan.sides.length === 1) return '';
  const names = formatList(plan.sides.map(({ name }) => name));
  const text = `Sides: ${names}, each as above, in turn within every round: about ${formatDuration(estimateSeconds(plan))} in all.`;
  return `\n${wrapText(text, columns).join('\n')}\n`;
}

/** What an id names that the table has a column for. */
const ownColumns: ReadonlySet<string> = new Set(['client', 'preset', 'pools', 'workers']);

/** One line of the table of scenarios, and one for when their work is due. */
interface Row {
  readonly cells: readonly string[];
  readonly workers: number[];
  /** "constant"; empty where all loops are closed. */
  readonly arrivals: string;
  readonly rates: number[];
}

/** A table of the scenarios; those that differ in nothing but workers, or nothing but rates, share a row. */
function describeScenarios(scenarios: readonly LabelledScenario[]): string[] {
  const rows = joinWorkers(joinRates(scenarios));
  const shown = rows.slice(0, mostRows);
  const [heading, ...lines] = [
    ['client', 'pool', 'pools', 'threads', 'also', 'workers'],
    ...shown.map(({ cells, workers }) => [...cells, workers.toSorted((a, b) => a - b).join(' ')]),
  ];
  const widths = (heading ?? []).map((name, column) =>
    Math.max(name.length, ...lines.map(line => line[column]?.length ?? 0)),
  );
  const hasFurther = shown.some(({ cells }) => cells[4] !== '');
  const left = rows.length - shown.length;
  const lineOf = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    return `  ${padded.filter((_, column) => column !== 4 || hasFurther).join('  ')}`.trimEnd();
  };
  return [
    lineOf(heading ?? []),
    ...shown.flatMap((row, index) => {
      const [line, before] = [lineOf(lines[index] ?? []), lineOf(lines[index - 1] ?? [])];
      // Where only arrivals differ, they stand below one line.
      return [...(index > 0 && line === before ? [] : [line]), ...describeRates(row)];
    }),
    ...(left > 0 ? [`  … and ${left} more`] : []),
  ];
}

function describeRates({ arrivals, rates }: Row): string[] {
  if (arrivals === '') return [];
  const text = rates.length === 0 ? arrivals : `${arrivals} at ${formatList(rates.map(String))} a second`;
  return wrapText(text, columns, '    ');
}

function joinRates(scenarios: readonly LabelledScenario[]): Row[] {
  const open = scenarios.some(({ scenario }) => scenario.arrival.kind !== 'closed');
  const rows = new Map<string, Row>();
  for (const { scenario, labels } of scenarios) {
    const { client, preset, pools, threads, workers, arrival } = scenario;
    const further = [...labels].filter(
      ([key, label]) => label !== '' && !ownColumns.has(key) && !(open && key === 'arrival'),
    );
    const also = further.map(([, label]) => label).join('-');
    const cells = [client, preset, String(pools), String(threads), also];
    const arrivals = open ? describeArrivals(arrival) : '';
    const key = [...cells, workers, arrivals].join(' ');
    const row = rows.get(key) ?? { cells, workers: [workers], arrivals, rates: [] };
    if (arrival.kind !== 'closed' && arrival.leg !== 'down') row.rates.push(arrival.rate);
    rows.set(key, row);
  }
  return [...rows.values()];
}

function joinWorkers(rows: readonly Row[]): Row[] {
  const joined = new Map<string, Row>();
  for (const row of rows) {
    const key = [...row.cells, row.arrivals, ...row.rates].join(' ');
    const known = joined.get(key);
    if (known === undefined) joined.set(key, row);
    else known.workers.push(...row.workers);
  }
  return [...joined.values()];
}

/** "closed loop", "constant", "bursts of 100, up and down". */
function describeArrivals(arrival: Arrival): string {
  if (arrival.kind === 'closed') return 'closed loop';
  const what = arrival.kind === 'burst' ? `bursts of ${arrival.size}` : arrival.kind;
  return arrival.leg === undefined ? what : `${what}, up and down`;
}

function cut(line: string): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}
