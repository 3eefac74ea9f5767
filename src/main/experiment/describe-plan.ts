import { basename, resolve } from 'node:path';
import {
  type Arrival,
  describeArrival,
  describeReplayed,
  describeStages,
} from '../../aggregate/scenario/arrival.ts';
import { besideNames } from '../../aggregate/scenario/beside.ts';
import { namePools } from '../../aggregate/scenario/dimensions.ts';
import { isFixed, minRounds, type RoundsRange } from '../../aggregate/stats/sign-test.ts';
import {
  formatCount,
  formatDuration,
  formatList,
  formatPercent,
  formatPlural,
  formatSeconds,
} from '../../aggregate/text/format.ts';
import { alignColumns, wrapText } from '../../aggregate/text/text-layout.ts';
import type { KeyChoice, WorkloadTask } from '../../workers/contract.ts';
import { typeName } from '../../workers/workload/families.ts';
import { keyRanges } from '../../workers/workload/keys.ts';
import { countCommands, lengthOf, readReplay } from '../../workers/workload/replay.ts';
import { comparableKeys } from './blocks.ts';
import { armsOf, isEndedByBudget, type Plan, secondsAtLeast, secondsAtMost } from './plan.ts';
import { type Population, populationsOf } from './populations.ts';
import { type LabelledScenario, labelScenarios, type Scenario } from './scenarios.ts';
import type { ValueBytes } from './values.ts';
import { type WorkloadConfig, workloadTask } from './workload.ts';

const columns = 80;
/** Max rows of the table and commands of the mix; the others are counted. */
const maxRows = 40;
const maxCommands = 3;

/** Describes what will be measured and how long it takes; no line is longer than 80 columns. */
export function describePlan(plan: Plan): string {
  const [first] = plan.sides;
  if (first === undefined) return '';
  const { experiment, scenarios } = first;
  const arms = armsOf(first).length;
  const controls = scenarios.length - arms;
  const { seconds, warmupSeconds } = experiment;
  const { rounds } = plan;
  const total = isFixed(rounds) ? ` = ${formatPlural(scenarios.length * rounds.atMost, 'measurement')}` : '';
  const alone = { ...plan, sides: [first] };
  const lines = [
    `Plan: ${experiment.name}`,
    `  ${formatPlural(arms, 'scenario')}${controls === 0 ? '' : ` and ${formatPlural(controls, 'control')}`} × ${describeRounds(rounds)}${total}`,
    ...describeRange(plan),
    ...describeUncompared(plan),
    ...(controls === 0
      ? []
      : ['  controls: scenarios measured twice, to show how much identical ones differ']),
    `  each: ${formatSeconds(seconds)}, after ${formatSeconds(warmupSeconds)} of warm-up`,
    `  order: ${describeOrder(plan)}, seed ${experiment.seed}`,
    ...describeWorkload(experiment.workload).map(line => `  ${line}`),
    ...populationsOf(experiment).flatMap(population =>
      describePopulation(population, { arms: armsOf(first), seconds }),
    ),
    `  duration: ${describeEstimate(alone)}`,
    ...(plan.isCompared && rounds.atMost < minRounds
      ? [`  verdict: none, because that needs ${minRounds} rounds`]
      : []),
    '',
    ...describeScenarios(labelScenarios(experiment.scenarios), arrival =>
      describeArrivals(arrival, experiment.workload, seconds),
    ),
  ];
  return `${lines.map(cut).join('\n')}\n${describeSides(plan)}`;
}

/**
 * "population bulk: wire, 2 workers, 1 pool, pipeline 100, closed loop, in 2 of 4 scenarios", and its workload.
 *
 * @param plan.arms the scenarios of the plan
 */
function describePopulation(
  { name, scenario, sharesThreads, workload }: Population,
  { arms, seconds }: { readonly arms: readonly Scenario[]; readonly seconds: number },
): string[] {
  const { client, workers, pipeline, arrival, cutEveryMs } = scenario;
  const text = [
    `population ${name}: ${client}`,
    formatPlural(workers, 'worker'),
    sharesThreads ? nameSharedPools(scenario) : namePools(scenario),
    ...(pipeline > 1 ? [`pipeline ${pipeline}`] : []),
    arrival.kind === 'recorded'
      ? describeArrivals(arrival, workload, seconds)
      : describeArrival({ ...arrival }),
    ...(cutEveryMs > 0 ? [`a cut every ${cutEveryMs} ms`] : []),
    describeWhere(arms.filter(({ beside }) => besideNames(beside).includes(name)).length, arms.length),
  ].join(', ');
  return [...wrapText(text, columns, '  '), ...describeWorkload(workload).map(line => `    ${line}`)];
}

/** "beside 2 of 4 scenarios". */
function describeWhere(count: number, all: number): string {
  if (count === 0) return 'not run, because no scenario names it in beside';
  return count === all ? 'beside every scenario' : `beside ${count} of ${formatPlural(all, 'scenario')}`;
}

/** "11 rounds", "10 to 50 rounds". */
export function describeRounds(rounds: RoundsRange): string {
  const most = formatPlural(rounds.atMost, 'round');
  return isFixed(rounds) ? most : `${rounds.atLeast} to ${most}`;
}

/** "1 pool in the scenario's first thread", "4 pools in the scenario's first 2 threads". */
function nameSharedPools({ pools, threads }: Population['scenario']): string {
  const first = threads === 1 ? 'thread' : formatPlural(threads, 'thread');
  return `${formatPlural(pools, 'pool')} in the scenario's first ${first}`;
}

/** "about 3 min", "about 2 min 36 s to 6 min". */
export function describeEstimate(plan: Plan): string {
  const [least, most] = [secondsAtLeast(plan), secondsAtMost(plan)].map(formatDuration);
  return least === most ? `about ${most}` : `about ${least} to ${most}`;
}

/** When a run with an open number of rounds ends, or how its budget changed that number. */
function describeRange(plan: Plan): string[] {
  const { rounds, budgetSeconds, isCompared } = plan;
  const budget = formatDuration(budgetSeconds);
  const asked = plan.sides[0]?.experiment.rounds ?? rounds;
  if (!isFixed(rounds)) {
    const latest = isEndedByBudget(plan) ? budget : formatPlural(rounds.atMost, 'round');
    return [`  ends: when every comparison is decided, or after ${latest}`];
  }
  if (secondsAtLeast(plan) > budgetSeconds) {
    const why = isCompared && rounds.atLeast === minRounds ? '; a verdict needs them' : '';
    return [`  budget: ${budget}, which is too short for these rounds${why}`];
  }
  if (rounds.atLeast < asked.atLeast)
    return [`  budget: ${budget}, which is too short for ${asked.atLeast} rounds`];
  return isCompared || isFixed(asked)
    ? []
    : [`  ends: after ${formatPlural(rounds.atMost, 'round')}, because more rounds would decide nothing`];
}

/** How to compare the scenarios of a run that compares none of them; nothing if there is only one. */
function describeUncompared({ isCompared, sides }: Plan): string[] {
  const [first] = sides;
  if (isCompared || first === undefined) return [];
  const keys = comparableKeys(labelScenarios(first.experiment.scenarios));
  if (keys.length === 0) return [];
  const text = `to compare scenarios: list keys in "compare" of the config; here ${formatList(keys)} ${keys.length === 1 ? 'varies' : 'vary'}`;
  return wrapText(text, columns, '  ');
}

/** Blocks of single scenarios mean nothing to the reader, nor does a single block of all scenarios. */
function describeOrder({ blocks }: Plan): string {
  const areBlocks = blocks.length > 1 && blocks.some(({ elements }) => elements.length > 1);
  return areBlocks
    ? `${blocks.length} blocks, and the arms in each, reshuffled every round`
    : 'reshuffled every round';
}

/** The sides of a run that has several; empty if it has one. */
function describeSides(plan: Plan): string {
  if (plan.sides.length === 1) return '';
  const names = formatList(plan.sides.map(({ name }) => name));
  const text = `Sides: ${names}, each as above, in turn within every round: ${describeEstimate(plan)} in all.`;
  return `\n${wrapText(text, columns).join('\n')}\n`;
}

/** Parts of an id that have a column in the table. */
const ownColumns: ReadonlySet<string> = new Set(['client', 'preset', 'pools', 'workers']);

/** A row of the table of scenarios, with a line on their arrivals. */
interface Row {
  readonly cells: readonly string[];
  readonly workers: number[];
  /** "constant"; empty if all loops are closed. Stages are a part of it, and no rates. */
  readonly arrivals: string;
  readonly rates: number[];
}

/** A table of the scenarios. Those that differ only in workers, or only in rates, share a row. */
function describeScenarios(
  scenarios: readonly LabelledScenario[],
  describeOpen: (arrival: Arrival) => string,
): string[] {
  // Those that differ only in their arrivals stand together.
  const alike = new Map<string, Row[]>();
  for (const row of joinWorkers(joinRates(scenarios, describeOpen))) {
    const line = [...row.cells, ...row.workers].join(' ');
    alike.set(line, [...(alike.get(line) ?? []), row]);
  }
  const rows = [...alike.values()].flat();
  const shown = rows.slice(0, maxRows);
  const hasFurther = shown.some(({ cells }) => cells[4] !== '');
  const [heading = '', ...lines] = alignColumns(
    [
      ['client', 'pool', 'pools', 'threads', 'also', 'workers'],
      ...shown.map(({ cells, workers }) => [...cells, workers.toSorted((a, b) => a - b).join(' ')]),
    ].map(cells => cells.filter((_, column) => column !== 4 || hasFurther)),
    new Array(hasFurther ? 6 : 5).fill(false),
  );
  return [
    `  ${heading}`,
    ...shown.flatMap((row, index) => {
      const line = lines[index] ?? '';
      // Rows that differ only in their arrivals share one line.
      return [...(index > 0 && line === lines[index - 1] ? [] : [`  ${line}`]), ...describeRates(row)];
    }),
    ...(rows.length > maxRows ? [`  … and ${rows.length - maxRows} more`] : []),
  ];
}

function describeRates({ arrivals, rates }: Row): string[] {
  if (arrivals === '') return [];
  const text = rates.length === 0 ? arrivals : `${arrivals} at ${formatList(rates.map(String))} a second`;
  return wrapText(text, columns, '    ');
}

function joinRates(
  scenarios: readonly LabelledScenario[],
  describeOpen: (arrival: Arrival) => string,
): Row[] {
  const open = scenarios.some(({ scenario }) => scenario.arrival.kind !== 'closed');
  const rows = new Map<string, Row>();
  for (const { scenario, labels } of scenarios) {
    const { client, preset, pools, threads, workers, arrival } = scenario;
    const further = [...labels].filter(
      ([key, label]) => label !== '' && !ownColumns.has(key) && !(open && key === 'arrival'),
    );
    const also = further.map(([, label]) => label).join('-');
    const cells = [client, preset, String(pools), String(threads), also];
    const arrivals = open ? describeOpen(arrival) : '';
    const key = [...cells, workers, arrivals].join(' ');
    const row = rows.get(key) ?? { cells, workers: [workers], arrivals, rates: [] };
    const hasRate = arrival.kind !== 'closed' && arrival.kind !== 'recorded';
    if (hasRate && arrival.stages === undefined && arrival.leg !== 'down') row.rates.push(arrival.rate);
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

/**
 * "closed loop", "constant", "bursts of 100, up and down", "poisson, 1000/s for 2 s", "recorded ×2 at 200/s on average: the
 * first 24 s of the 60 s recording".
 */
function describeArrivals(arrival: Arrival, { replay }: WorkloadConfig, seconds: number): string {
  if (arrival.kind === 'closed') return 'closed loop';
  if (arrival.kind === 'recorded') {
    const length = replay === null ? undefined : lengthOf(readReplay(resolve(replay)));
    const part = length === undefined ? '' : `: ${describeReplayed(seconds, arrival.speed, length / 1e6)}`;
    return `${describeArrival({ ...arrival })}${part}`;
  }
  const what = arrival.kind === 'burst' ? `bursts of ${arrival.size}` : arrival.kind;
  if (arrival.stages !== undefined) return `${what}, ${describeStages(arrival.stages)}`;
  return arrival.leg === undefined ? what : `${what}, up and down`;
}

function cut(line: string): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}

/** The workload in a line, or several if it has more than the usual settings. */
export function describeWorkload(workload: WorkloadConfig): string[] {
  const task = workloadTask(workload);
  const { keyChoice, types = {}, commands, hitShare, compressibleRatio, growth, script, replay } = task;
  const records = growth === null ? 'key' : 'record';
  const keys = `${formatPlural(workload.keys, records)}${describeGrowth(growth)}${describeChoice(keyChoice)}`;
  const others = keyRanges(task).families.flatMap(({ family, keys, members, ownChoice }) => {
    const own = types[typeName(family)];
    if (own === undefined) return [];
    const elements = own.members === undefined ? '' : ` of ${formatPlural(members, 'element')}`;
    // A replay has the key of each operation.
    const isDrawn = ownChoice !== undefined && replay === undefined;
    const choice = isDrawn ? describeChoice(ownChoice) || ', uniform' : '';
    return [`${formatCount(keys)} ${family}${elements}${choice}`];
  });
  const mix = workload.ycsb === null ? '' : `YCSB ${workload.ycsb}: `;
  const also = [
    ...(compressibleRatio > 0 ? [`${formatPercent(compressibleRatio)} of a value is one character`] : []),
    ...(hitShare < 1 ? [`${formatPercent(hitShare)} of reads are for existing keys`] : []),
    ...(workload.subscribers > 0 ? [formatPlural(workload.subscribers, 'subscriber')] : []),
  ];
  const order = replay === undefined ? '' : `, in the order of ${basename(replay)}`;
  const sizes = `values of ${describeSizes(workload.valueBytes)}`;
  const text = [
    keys,
    ...others,
    sizes,
    `${mix}${script === undefined ? describeMix(asSent(commands, replay)) + order : `sessions of ${basename(script)}`}`,
    ...also,
  ].join(', ');
  // The plan indents these lines by 2.
  const [first = '', ...rest] = wrapText(text, columns - 2, ' '.repeat('workload: '.length));
  return [`workload: ${first.trim()}`, ...rest];
}

function describeGrowth(growth: WorkloadTask['growth']): string {
  switch (growth) {
    case null:
      return '';
    case 'latest':
      return ' and room for as many more, the newest read most';
    case 'index':
      return ' in one sorted set, and room for as many more';
  }
}

function describeChoice(choice: KeyChoice): string {
  switch (choice.kind) {
    case 'uniform':
      return '';
    case 'zipfian':
      return `, zipfian ${choice.exponent}`;
    case 'gaussian':
      return `, gaussian ± ${formatPercent(choice.spread)}`;
    case 'hotSet':
      return `, ${formatPercent(choice.operationShare)} of operations on ${formatPercent(choice.keyShare)}`;
    case 'sequential':
      return ', in sequence';
    case 'partitioned':
      return ', each worker its own';
  }
}

function describeSizes(sizes: ValueBytes): string {
  if (typeof sizes === 'number') return formatPlural(sizes, 'byte');
  switch (sizes.kind) {
    case 'range':
      return `${sizes.from} to ${formatPlural(sizes.to, 'byte')}`;
    case 'weighted':
      return formatPlural(sizes.sizes.length, 'size');
    case 'lognormal':
      return `about ${formatPlural(sizes.median, 'byte')} (lognormal, up to ${sizes.most})`;
    case 'file':
      return `a file (${sizes.path})`;
  }
}

interface Weighted {
  readonly command: string;
  readonly weight: number;
}

/** The commands with the weights that count: a replay has its own, whatever those of the config are. */
function asSent(commands: readonly Weighted[], replay: string | undefined): readonly Weighted[] {
  if (replay === undefined) return commands;
  const counts = countCommands(readReplay(replay), commands.length);
  return commands.map(({ command }, index) => ({ command, weight: counts[index] ?? 0 }));
}

function describeMix(commands: readonly Weighted[]): string {
  const weights = commands.reduce((sum, { weight }) => sum + weight, 0);
  const fractions = new Map<string, number>();
  for (const { command, weight } of commands) {
    const name = command.trim().split(/\s/, 1)[0]?.toUpperCase() ?? '';
    fractions.set(name, (fractions.get(name) ?? 0) + weight / weights);
  }
  const named = [...fractions]
    .slice(0, maxCommands)
    .map(([name, fraction]) => `${formatPercent(fraction)} ${name}`);
  const left = fractions.size - named.length;
  return [...named, ...(left > 0 ? [`and ${left} more`] : [])].join(', ');
}
