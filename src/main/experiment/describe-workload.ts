import { formatPlural } from '../../aggregate/text/format.ts';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import type { KeyChoice, WorkloadTask } from '../../workers/contract.ts';
import type { ValueBytes } from './values.ts';
import type { WorkloadConfig } from './workload.ts';
import { workloadTask } from './workload-task.ts';

/** For two blanks before them, 80 columns are not passed. */
const columns = 78;
const indent = ' '.repeat('workload: '.length);
/** Commands that are named; the rest is counted. */
const mostNamed = 3;

/** What is asked of the server, in a line, or several where there is more to say than the usual. */
export function describeWorkload(workload: WorkloadConfig): string[] {
  const { keyChoice, commands, hitShare, compressibleShare, growth } = workloadTask(workload);
  const records = growth === null ? 'key' : 'record';
  const keys = `${formatPlural(workload.keys, records)}${describeGrowth(growth)}${describeChoice(keyChoice)}`;
  const mix = workload.ycsb === null ? '' : `YCSB ${workload.ycsb}: `;
  const also = [
    ...(compressibleShare > 0 ? [`${percent(compressibleShare)} of a value is one character`] : []),
    ...(hitShare < 1 ? [`${percent(hitShare)} of reads are for keys that are there`] : []),
  ];
  const sizes = `values of ${describeSizes(workload.valueBytes)}`;
  const text = [keys, sizes, `${mix}${describeMix(commands)}`, ...also].join(', ');
  const [first = '', ...rest] = wrapText(text, columns, indent);
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
      return `, gaussian ± ${percent(choice.spread)}`;
    case 'hotSet':
      return `, ${percent(choice.operationShare)} of operations on ${percent(choice.keyShare)}`;
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

function describeMix(commands: readonly { readonly command: string; readonly weight: number }[]): string {
  const weights = commands.reduce((sum, { weight }) => sum + weight, 0);
  const shares = new Map<string, number>();
  for (const { command, weight } of commands) {
    const name = command.trim().split(/\s/, 1)[0]?.toUpperCase() ?? '';
    shares.set(name, (shares.get(name) ?? 0) + weight / weights);
  }
  const named = [...shares].slice(0, mostNamed).map(([name, share]) => `${percent(share)} ${name}`);
  const left = shares.size - named.length;
  return [...named, ...(left > 0 ? [`and ${left} more`] : [])].join(', ');
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
