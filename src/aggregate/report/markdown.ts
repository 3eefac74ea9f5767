import { toOneLine, withoutControlCharacters } from '../text/format.ts';
import {
  type Block,
  type Span,
  shownOn,
  spansOf,
  type Table,
  type Text,
  table,
  tableOn,
  words,
} from './blocks.ts';
import { withLegend } from './marks.ts';

/** A document as Markdown. */
export function renderMarkdown(blocks: readonly Block[]): string {
  return `${renderBlocks(withLegend('markdown', blocks)).join('\n\n')}\n`;
}

function renderBlocks(blocks: readonly Block[]): string[] {
  return shownOn('markdown', blocks)
    .flatMap(renderBlock)
    .filter(text => text !== '');
}

function renderBlock(block: Block): string[] {
  switch (block.kind) {
    case 'alert':
      return [`> ${bold(block.text)}`];
    case 'heading':
      return [`${'#'.repeat(block.level)} ${line(block.text)}`];
    case 'paragraph':
      return [line(block.text)];
    case 'list':
      return [
        block.items.some(({ label }) => label !== undefined)
          ? renderTable(
              table(block.items, [words('', ({ label }) => label ?? ''), words('', ({ text }) => text)]),
            )
          : block.items.map(({ text }) => `- ${line(text)}`).join('\n'),
      ];
    case 'table':
      return [block.title === undefined ? '' : bold(block.title), renderTable(tableOn('markdown', block))];
    case 'code':
      return [fenced(block.language, block.lines.map(withoutControlCharacters).join('\n'))];
    case 'details':
      return [bold(block.summary), ...renderBlocks(block.blocks)];
    case 'chart':
      return [];
  }
}

function renderTable({ columns, rows }: Table): string {
  const joined = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    joined(columns.map(({ name }) => line(name))),
    joined(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map(row => joined(row.map(line))),
  ].join('\n');
}

/** A fenced block, with a fence longer than any in the text. */
function fenced(language: string, text: string): string {
  const maxTicks = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(maxTicks + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** Text as one line that cannot end a table cell or start markup or HTML other than that of its spans. */
function line(text: Text): string {
  return spansOf(text)
    .map(renderSpan)
    .join('')
    .trim()
    .replace(/^[-+=]/, '\\$&')
    .replace(/^(\d+)([.)])(?=\s)/, '$1\\$2');
}

/** One that is strong in parts is strong as a whole. */
function bold(text: Text): string {
  const all = line(spansOf(text).map(span => ({ ...span, strong: false })));
  return all === '' ? '' : `**${all}**`;
}

function renderSpan({ text, code, link, strong }: Span): string {
  const written = code === true ? codeSpan(text) : escaped(text);
  const linked = link === undefined ? written : `[${written}](<${linkPath(link)}>)`;
  // With blanks inside the marks it would not be strong text.
  return strong === true ? linked.replace(/\S(.*\S)?/, '**$&**') : linked;
}

/** Characters with a meaning in Markdown; or an interval that cannot become a link and is easier to read unescaped. */
const special = /(\[[\d.]+[kM]?, [\d.]+[kM]?\](?![[(:]))|[\\`*_[\]|~#]/g;

function escaped(text: string): string {
  return withoutControlCharacters(text)
    .replace(special, (found, interval) => (interval === undefined ? `\\${found}` : found))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** In a table and out of it alike. */
function codeSpan(text: string): string {
  const clean = toOneLine(text);
  return /[`|\\]/.test(clean) || clean === '' ? `<code>${escaped(clean)}</code>` : `\`${clean}\``;
}

/** Without anything that could end the link, or make it more than a relative path. */
function linkPath(path: string): string {
  return path.replace(/[<>|\\:\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, encodeURIComponent);
}
