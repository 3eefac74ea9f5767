import { expect, test } from 'vitest';
import {
  type Block,
  chart,
  details,
  list,
  note,
  only,
  table,
  wide,
  words,
} from '../../../src/aggregate/report/blocks.ts';
import { html } from '../../../src/aggregate/report/html/markup.ts';
import { withLegend, withLegends, withMark, withMedianMarked } from '../../../src/aggregate/report/marks.ts';
import { onTerminal } from '../../support/documents.ts';
import { buildOpenScenario } from '../../support/open-loop-round.ts';
import { buildResult } from '../../support/result-builder.ts';

const column = words<string>('p99', figure => figure);
const legendsIn = (blocks: readonly Block[]) =>
  blocks.flatMap((block, index) =>
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
  const found = legendsIn(withLegend('markdown', blocks));
  expect(found.map(({ index }) => index)).toEqual([3, 5]);
  expect(found[0]?.text).toMatch(/^≥/);
  expect(found[1]?.text).toMatch(/^†/);
});

/** The blocks of a page in short: a legend as its marks, a fold as a list. */
function outline(blocks: readonly Block[]): unknown[] {
  return blocks.map(block => {
    if (block.kind === 'details') return outline(block.blocks);
    return block.kind === 'paragraph'
      ? String(block.text)
          .match(/[≥†](?= marks)/g)
          ?.join('')
      : block.kind;
  });
}

test('on a page the legend is at the end of each part with the mark, unless the part is in one that explains it', () => {
  const bound = table([withMark('2.50', 'lower bound')], [column]);
  const both = list([withMark('3.00', 'worst stall'), withMark('2.50', 'lower bound')]);
  const plain = table(['1.00'], [column]);
  const fold = (...blocks: Block[]) => details('more', blocks);
  expect(outline(withLegends([bound, plain, fold(both, fold(both), plain), fold(bound)]))).toEqual([
    'table',
    'table',
    ['list', ['list'], 'table', '†'],
    ['table'],
    '≥',
  ]);
  expect(outline(withLegends([fold(both), plain, fold(plain, fold(bound))]))).toEqual([
    ['list', '≥†'],
    'table',
    ['table', ['table', '≥']],
  ]);
});

test('a chart states its caveats, which only a page explains: it alone draws it', () => {
  const drawn = chart(() => html``, 'wide', ['worst stall']);
  expect(outline(withLegends([drawn, note('a note')]))).toEqual(['chart', undefined, '†']);
  expect(outline(withLegend('markdown', [drawn]))).toEqual(['chart']);
});

test('a medium that does not show a mark has no legend for it', () => {
  const blocks = only(wide, [table([withMark('2.50', 'worst stall')], [column])]);
  expect(legendsIn(withLegends(blocks))).toHaveLength(1);
  expect(legendsIn(withLegend('markdown', blocks))).toHaveLength(1);
  expect(legendsIn(withLegend('terminal', blocks))).toEqual([]);
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
  const [legend] = legendsIn(withLegend('markdown', [table([figure], [column])]));
  expect(legend?.text).toMatch(/≥ marks .* † marks/);
});

test('the mark stands at the median, and a dash has none', () => {
  expect(withMedianMarked('2.50 [2.40, 2.60]', 'worst stall')).toBe('2.50† [2.40, 2.60]');
  expect(withMedianMarked('–', 'lower bound')).toBe('–');
  expect(withMark('–', 'worst stall')).toBe('–');
});
