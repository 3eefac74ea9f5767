import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  alerts,
  type Block,
  badge,
  chart,
  code,
  codeSpan,
  details,
  figures,
  heading,
  link,
  list,
  narrow,
  only,
  paragraph,
  strong,
  table,
  toned,
  words,
} from '../../../../src/aggregate/report/blocks.ts';
import { html } from '../../../../src/aggregate/report/html/markup.ts';
import { renderPage } from '../../../../src/aggregate/report/html/page.ts';
import { anyText } from '../../../support/any-text.ts';
import { hostileText, markupOf, rowsOf } from '../../../support/page-text.ts';

const render = (blocks: readonly Block[]) => renderPage({ brand: 'b', title: 't', blocks, footer: 'f' });
/** What is between the tags of a page's main part, or of its head. */
const mainOf = (blocks: readonly Block[]) =>
  /<main>\n<section[^>]*><h2.*?<\/h2>(.*)<\/section>\n<\/main>/s.exec(
    render([heading(2, 's'), ...blocks]),
  )?.[1];

/** The text in every place that takes one. */
function everywhere(text: string): Block[] {
  const spans = [strong(text), codeSpan(text), link(text, text), toned(text, 'bad'), badge(text, 'good')];
  return [text, [text, ...spans, { text, badge: true }]].flatMap((any): Block[] => [
    heading(1, any),
    ...alerts([text]),
    heading(2, any),
    heading(3, any),
    paragraph(any, 'warning'),
    list([{ text: any }]),
    list([{ label: any, text: any, tone: 'refuted' }]),
    table([1, 2], [words(`n${text}`, () => any), figures(`n${text}`, () => any)], any),
    details(any, [table([1], [words('', () => any)])]),
    details(any, [paragraph(any)], { tone: 'supported' }),
    code('sh', text, [text]),
    ...alerts([text]),
  ]);
}

test('no text changes the markup, wherever it stands in a block', () => {
  const harmless = markupOf(render(everywhere('x')));
  fc.assert(
    fc.property(fc.oneof(hostileText, anyText()), text => {
      expect(markupOf(render(everywhere(text)))).toBe(harmless);
    }),
  );
});

test('every span has its element', () => {
  expect(
    mainOf([
      paragraph([strong('a'), codeSpan('b'), link('c', '../d e/f'), toned('g', 'bad'), badge('h', 'good')]),
    ]),
  ).toBe(
    '<p><b>a</b><code>b</code><a href="./../d%20e/f">c</a><span class="t-bad">g</span><span class="badge t-good"><span aria-hidden="true">✓</span> h</span></p>',
  );
});

test('a link is relative, whatever its path says', () => {
  expect(mainOf([paragraph([link('a', 'javascript:alert(1)'), link('b', '//c.d')])])).toBe(
    '<p><a href="./javascript%3Aalert(1)">a</a><a href=".///c.d">b</a></p>',
  );
});

test('items with labels are a list of terms, others are points', () => {
  expect(mainOf([list([{ label: 'a', text: 'b' }]), list(['c'])])).toBe(
    '<dl><dt>a</dt><dd>b</dd></dl><ul><li>c</li></ul>',
  );
});

test('details fold, and are a card if they have a tone', () => {
  expect(mainOf([details('a', [paragraph('b')], { open: true })])).toBe(
    '<details open><summary>a</summary><p>b</p></details>',
  );
  expect(
    mainOf([details([badge('refuted', 'refuted'), ' C1: a'], [paragraph('b')], { tone: 'refuted' })]),
  ).toMatch(/^<article class="card t-refuted" id="c1"><h3>.* C1: a<\/h3><p>b<\/p><\/article>$/);
});

test('a table is named by its title, or by what stands above it', () => {
  const columns = [words<number>('a', String)];
  const names = [
    ...(
      mainOf([table([1], columns), heading(3, 'h'), table([1], columns), table([1], columns, 't')]) ?? ''
    ).matchAll(/aria-label="(.*?)"/g),
  ].map(([, name]) => name);
  expect(names).toEqual(['s', 'h', 't']);
});

test('columns and blocks for a terminal are left out', () => {
  const columns = [
    words<number>('a', String),
    figures<number>('b', value => value * 2, { terminal: { name: 'c' } }),
  ];
  const page = render([heading(2, 's'), table([1], columns), ...only(narrow, [table([3], columns)])]);
  expect(rowsOf(page, 's')).toEqual([
    ['a', 'b'],
    ['1', '2'],
  ]);
});

test('charts that are not wide stand beside their neighbours of the same size', () => {
  const draw = (name: string, size: 'small' | 'medium' | 'wide') => chart(() => html`${name}`, size);
  expect(
    mainOf([
      draw('a', 'small'),
      draw('b', 'small'),
      draw('c', 'medium'),
      draw('d', 'wide'),
      draw('e', 'medium'),
    ]),
  ).toBe('<div class="charts small">ab</div><div class="charts">c</div>d<div class="charts">e</div>');
});

test('sections are listed above, and alerts stand at both ends if a document has them', () => {
  const page = render([
    ...alerts(['A']),
    heading(1, 'T'),
    heading(2, 'Over time'),
    paragraph('p'),
    ...alerts(['Z']),
  ]);
  expect(page).toMatch(
    /<p class="alarm">A<\/p>\s*<header>.*<h1>T<\/h1><\/header>.*<a href="#over-time">Over time<\/a>.*<section id="over-time".*<\/main>\s*<p class="alarm">Z<\/p>\s*<footer>/s,
  );
});
