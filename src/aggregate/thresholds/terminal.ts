import { formatPlural, toOneLine } from '../text/format.ts';
import { type Style, terminalWidth } from '../text/terminal-style.ts';
import { wrapText } from '../text/text-layout.ts';
import {
  describeThreshold,
  describeThresholds,
  describeValue,
  inOrder,
  type ToldThreshold,
} from './words.ts';

/** Crossed ones that are told one by one; the rest is counted. */
const mostCrossed = 20;
/** "crossed", and the space behind it. */
const stateWidth = 9;

/** The thresholds for a terminal: each that was crossed, then what was met, a line for each condition. */
export function renderThresholds(thresholds: readonly ToldThreshold[], style: Style): string[] {
  const title = describeThresholds(thresholds);
  if (title === null) return [];
  const crossed = inOrder(thresholds).filter(threshold => threshold.crossed);
  const left = crossed.length - mostCrossed;
  const red = (line: string) => style('red', line);
  return [
    style(['bold', crossed.length > 0 ? 'red' : 'green'], `${title}.`),
    ...crossed
      .slice(0, mostCrossed)
      .flatMap(threshold => hanging('crossed', describeThreshold(threshold)).map(red)),
    ...(left > 0 ? hanging('', `and ${left} more, see the report`).map(red) : []),
    ...groupMet(thresholds).flatMap(group => hanging('met', describeMet(group))),
  ];
}

/** Those that were met, together where they have one condition. */
function groupMet(thresholds: readonly ToldThreshold[]): ToldThreshold[][] {
  const groups = new Map<string, ToldThreshold[]>();
  for (const threshold of thresholds) {
    if (threshold.crossed) continue;
    const key = `${threshold.metric} ${threshold.condition}`;
    groups.set(key, [...(groups.get(key) ?? []), threshold]);
  }
  return [...groups.values()];
}

function describeMet(group: readonly ToldThreshold[]): string {
  const [first] = group;
  if (first === undefined) return '';
  if (group.length === 1) return describeThreshold(first);
  const sorted = group.toSorted((a, b) => Number(a.value) - Number(b.value));
  const [least = first, most = first] = [sorted[0], sorted.at(-1)];
  const range = [...new Set([describeValue(least), describeValue(most)])].join(' to ');
  const scenarios = new Set(group.map(({ scenario }) => scenario)).size;
  const sides = new Set(group.map(({ side }) => side)).size;
  const where = [
    ...(first.scenario === null ? [] : [` in ${formatPlural(scenarios, 'scenario')}`]),
    ...(sides > 1 ? [` on ${sides} sides`] : []),
  ];
  return toOneLine(`${first.metric} ${first.condition}: ${range}${where.join('')}`);
}

/** A word in front, and the text beside it. */
function hanging(state: string, text: string): string[] {
  return wrapText(text, terminalWidth - stateWidth).map(
    (line, index) => (index === 0 ? state : '').padEnd(stateWidth) + line,
  );
}
