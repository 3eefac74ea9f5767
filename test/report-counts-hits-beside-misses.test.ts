import { expect, test } from 'vitest';
import { renderMarkdown } from '../src/aggregate/report/markdown.ts';
import { accountingBlocks } from '../src/aggregate/report/result-tables.ts';
import { mergeCommands } from '../src/aggregate/stats/merge.ts';
import { createHistogram, encodeHistogram } from '../src/pool/histogram.ts';
import type { CommandSample } from '../src/workers/contract.ts';
import { buildRound, buildScenario } from './support/result-builder.ts';

const none = encodeHistogram(createHistogram(3));

/** The cells of the table's only row, by their headings. */
function cellsOf(hits: readonly (number | null)[]): Record<string, string> {
  const rounds = hits.map((count, round) => ({ ...buildRound(round, 100), hits: count, misses: 10 }));
  const [, table = ''] = renderMarkdown(accountingBlocks([buildScenario({}, rounds)]))
    .trim()
    .split('\n\n');
  const [heading = [], , row = []] = table.split('\n').map(line => line.split('|').map(cell => cell.trim()));
  return Object.fromEntries(heading.map((name, column) => [name, row[column] ?? '']));
}

test('hits of all rounds stand beside misses, where they were counted', () => {
  expect(cellsOf([60, 70])).toMatchObject({ hits: '130', misses: '20' });
  expect(cellsOf([60, null])).toMatchObject({ hits: '–', misses: '20' });
  expect(cellsOf([null, null])).not.toHaveProperty('hits');
});

test('where no command tells whether it found something there are no hits, rather than none', () => {
  const sample = (tellsMisses: boolean): CommandSample[] => [
    { name: 'GET', tellsMisses, completed: 5, failed: {}, misses: 2, service: none, response: none },
  ];
  expect(mergeCommands(sample(true)).hits).toBe(3);
  expect(mergeCommands(sample(false)).hits).toBeNull();
});
