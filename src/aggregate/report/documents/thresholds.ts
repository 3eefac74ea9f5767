import { formatPlural } from '../../text/format.ts';
import {
  describeThreshold,
  describeThresholds,
  describeValue,
  inOrder,
  type ToldThreshold,
} from '../../thresholds/words.ts';
import {
  type Block,
  badge,
  heading,
  type Item,
  list,
  narrow,
  only,
  paragraph,
  type Table,
  table,
  toned,
  wide,
  words,
} from '../blocks.ts';

/** Crossed ones that a terminal lists one by one; the rest is counted. */
const maxCrossed = 20;

/** The thresholds of a run, crossed ones first; nothing without any. A terminal has a line for each condition that was met. */
export function thresholdBlocks(thresholds: readonly ToldThreshold[]): Block[] {
  const count = describeThresholds(thresholds);
  if (count === null) return [];
  const isCrossed = thresholds.some(({ crossed }) => crossed);
  const title = [toned(`${count}.`, isCrossed ? 'bad' : 'good')];
  return [
    ...only(wide, [heading(2, 'Thresholds'), paragraph(title), thresholdTable(thresholds)]),
    ...only(narrow, [heading(2, title), list([...crossedItems(thresholds), ...metItems(thresholds)])]),
  ];
}

export function thresholdTable(thresholds: readonly ToldThreshold[]): Table {
  const hasSides = thresholds.some(({ side }) => side !== undefined);
  return table(inOrder(thresholds), [
    words('', ({ crossed }) => [crossed ? badge('crossed', 'bad') : badge('met', 'good')]),
    words('metric', ({ metric }) => metric),
    words('condition', ({ condition }) => condition),
    words('value', describeValue),
    words('scenario', ({ scenario }) => scenario ?? 'the whole run'),
    ...(hasSides ? [words<ToldThreshold>('side', ({ side }) => side ?? '')] : []),
  ]);
}

function crossedItems(thresholds: readonly ToldThreshold[]): Item[] {
  const crossed = thresholds.filter(threshold => threshold.crossed);
  const left = crossed.length - maxCrossed;
  const texts = crossed.slice(0, maxCrossed).map(describeThreshold);
  return [
    ...texts.map((text): Item => ({ label: 'crossed', text, tone: 'bad' })),
    ...(left > 0 ? [{ label: '', text: `and ${left} more, see the report`, tone: 'bad' } as const] : []),
  ];
}

/** Those that were met, together where they have one condition. */
function metItems(thresholds: readonly ToldThreshold[]): Item[] {
  const groups = new Map<string, ToldThreshold[]>();
  for (const threshold of thresholds) {
    if (threshold.crossed) continue;
    const key = `${threshold.metric} ${threshold.condition}`;
    groups.set(key, [...(groups.get(key) ?? []), threshold]);
  }
  return [...groups.values()].map(group => ({ label: 'met', text: describeMet(group) }));
}

function describeMet(group: readonly ToldThreshold[]): string {
  const [first] = group;
  if (first === undefined) return '';
  if (group.length === 1) return describeThreshold(first);
  const sorted = group.toSorted((a, b) => Number(a.value) - Number(b.value));
  const range = [...new Set([sorted[0] ?? first, sorted.at(-1) ?? first].map(describeValue))].join(' to ');
  const scenarios = new Set(group.map(({ scenario }) => scenario)).size;
  const sides = new Set(group.map(({ side }) => side)).size;
  const where = first.scenario === null ? '' : ` in ${formatPlural(scenarios, 'scenario')}`;
  return `${first.metric} ${first.condition}: ${range}${where}${sides > 1 ? ` on ${sides} sides` : ''}`;
}
