import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
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
  only,
  paragraph,
  strong,
  table,
  toned,
  wide,
  words,
} from '../../../src/aggregate/report/blocks.ts';
import { renderMarkdown } from '../../../src/aggregate/report/markdown.ts';
import { renderTerminal } from '../../../src/aggregate/report/terminal.ts';
import { sampleDocuments } from '../../support/sample-documents.ts';

const hostile = [
  '\u001b[2Ja\r\u202e\u0007b',
  'a | b\n| c',
  '# a\n- b',
  '<img src=x onerror=y>&lt;',
  '`a` ``` **b** _c_ ~d~ \\',
  '[a](b) [c][d] ![e](f) [g]: h',
  '- a',
  '1. a',
  '[1, 2](x)',
];

/** The text in every place that takes one. */
function everywhere(text: string): Block[] {
  const spans = [
    text,
    strong(text),
    codeSpan(text),
    link(text, text),
    toned(text, 'bad'),
    badge(text, 'good'),
  ];
  return [text, spans].flatMap(any => [
    heading(1, any),
    ...alerts([text]),
    paragraph(any, 'warning'),
    list([{ text: any }]),
    list([{ label: any, text: any, tone: 'refuted' }]),
    table(
      [1, 2],
      [words(text, () => any), figures(text, () => any), words('', () => any, { ownLine: 'above' })],
      any,
    ),
    details(any, [paragraph(any), list([{ label: any, text: any }])]),
    chart(() => {
      throw new Error('expected to be drawn in HTML alone');
    }),
    code('sh', text, [text]),
  ]);
}

describe.each(hostile)('%j', text => {
  test('moves no cursor', () => {
    for (const colour of [false, true]) {
      const rendered = stripVTControlCharacters(renderTerminal(everywhere(text), colour));
      expect(rendered).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    }
  });

  test('makes no Markdown of its own', () => {
    const markdown = renderMarkdown(everywhere(text));
    expect(markdown).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    const outsideCode = markdown
      .replace(/^(`{3,})[\s\S]*?^\1$/gm, '')
      .replace(/`[^`|\\\n]*`|(?<=\])\(<[^<>\n]*>\)/g, '');
    expect(outsideCode).not.toMatch(/<(?!\/?code>)[a-z]|(?<!\\)!?\[(e|1, 2)\]\(/);
    const lines = outsideCode.split('\n');
    const count = (start: RegExp) => lines.filter(line => start.test(line)).length;
    expect([/^# /, /^> /, /^- /, /^\d+[.)] /].map(count)).toEqual([2, 2, 2, 0]);
    for (const row of lines.filter(line => line.startsWith('|')))
      expect([3, 4], row).toContain(row.split(/(?<!\\)\|/).length - 1);
  });

  test('adds no command to those that are copied', () => {
    const block = renderMarkdown([code('sh', '', [text])]).trimEnd();
    expect(block.split('\n')).toHaveLength(3);
  });
});

test('a link leads to a relative path alone', () => {
  expect(renderMarkdown([paragraph([link('a', 'javascript:alert(1)')])])).toBe(
    '[a](<javascript%3Aalert(1)>)\n',
  );
});

test('an interval is written as it is, for whoever reads the file itself', () => {
  expect(renderMarkdown([paragraph('×1.40 [1.30, 1.50], [a, b]')])).toBe('×1.40 [1.30, 1.50], \\[a, b\\]\n');
});

test('a terminal is not given more than 80 columns of text', () => {
  const text = 'a word and '.repeat(30);
  const blocks = [
    ...alerts([text]),
    heading(2, text),
    paragraph(text),
    list([text, { label: 'a label', text }]),
    details(text, [paragraph(text), list([{ label: 'l', text }])]),
    table([1], [words('name', () => 'x'), words('', () => text, { ownLine: 'below' })], text),
  ];
  for (const line of renderTerminal(blocks, false).split('\n'))
    expect(line.length, line).toBeLessThanOrEqual(80);
});

test.each(Object.entries(sampleDocuments))('colour changes no character of a %s', (_, document) => {
  const coloured = renderTerminal(document, true);
  expect(coloured).toContain('\u001b[');
  expect(stripVTControlCharacters(coloured)).toBe(renderTerminal(document, false));
});

test('a terminal shows the short form of a column, and each medium only what is for it', () => {
  const blocks = [
    table(
      [1],
      [
        figures('long name', value => `${value} of many`, {
          terminal: { name: 'short', cell: value => value },
        }),
        words('evidence', () => 'too wide', { terminal: false }),
      ],
    ),
    ...only(wide, [paragraph('in files alone')]),
  ];
  expect(renderTerminal(blocks, false)).toBe('short\n    1\n');
  expect(renderMarkdown(blocks)).toBe(
    '| long name | evidence |\n| ---: | --- |\n| 1 of many | too wide |\n\nin files alone\n',
  );
});
