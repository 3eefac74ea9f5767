import { expect, test } from 'vitest';
import { list, note, only, table, wide, words } from '../../../src/aggregate/report/blocks.ts';
import { withLegend, withMark, withMedianMarked } from '../../../src/aggregate/report/marks.ts';
import { onTerminal } from '../../support/documents.ts';
import { buildOpenScenario } from '../../support/open-loop-round.ts';
import { buildResult } from '../../support/result-builder.ts';

const column = words<string>('p99', figure => figure);
const legendsOf = (...args: Parameters<typeof withLegend>) =>
  withLegend(...args).flatMap((block, index) =>
    block.kind === 'paragraph' && String(block.text).includes(' mark') ? [{ index, text: block.text }] : [],
  );

test('the legend of a mark appears once, after the first table or list with the mark', () => {
  const marked = withMark('2.50', 'lower bound');
  const blocks = [
    note('a paragraph'),
    table(['1.00'], [column]),
    table([marked], [column]),
    list([withMark('3.00', 'worst stall'), marked]),
  ];
  const found = legendsOf('markdown', blocks);
  expect(found.map(({ index }) => index)).toEqual([3, 5]);
  expect(found[0]?.text).toMatch(/^≥/);
  expect(found[1]?.text).toMatch(/^†/);
});

test('a medium that does not show a mark has no legend for it', () => {
  const blocks = only(wide, [table([withMark('2.50', 'worst stall')], [column])]);
  expect(legendsOf('html', blocks)).toHaveLength(1);
  expect(legendsOf('terminal', blocks)).toEqual([]);
});

test('a terminal has the legend for a table of loads, even if it shows no other table', () => {
  const [scenario = expect.fail()] = [buildOpenScenario(1000, [1, 1])];
  const rounds = scenario.rounds.map(round => ({ ...round, unfinished: 50 }));
  const text = onTerminal.result(buildResult([{ ...scenario, rounds }]));
  expect(text).toMatch(/≥\d/);
  expect(text).toContain('≥ marks a lower bound');
});

test('a figure that is both has both marks, and the legend of both', () => {
  const figure = withMark('2.50', 'lower bound of the worst stall');
  expect(figure).toBe('≥2.50†');
  const [legend] = legendsOf('markdown', [table([figure], [column])]);
  expect(legend?.text).toMatch(/≥ marks .* † marks/);
});

test('the mark stands at the median, and a dash has none', () => {
  expect(withMedianMarked('2.50 [2.40, 2.60]', 'worst stall')).toBe('2.50† [2.40, 2.60]');
  expect(withMedianMarked('–', 'lower bound')).toBe('–');
});
