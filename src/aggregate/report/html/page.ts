import { createHash } from 'node:crypto';
import { withoutControlCharacters } from '../../text/format.ts';
import {
  type Block,
  type Chart,
  type Code,
  type Details,
  type List,
  plainText,
  type Span,
  shownOn,
  spansOf,
  type Table,
  type Text,
  type Tone,
  tableOn,
} from '../blocks.ts';
import { withLegends } from '../marks.ts';
import { script, style } from './assets.ts';
import { type Content, Html, html } from './markup.ts';

/** A document as a page. */
interface Page {
  /** Above the title of the document: "poolbench report". */
  readonly brand: string;
  /** Of the window. */
  readonly title: string;
  /** Everything before the first level-2 heading is the head of the page; each such heading begins a section. */
  readonly blocks: readonly Block[];
  readonly footer: Text;
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
/** Nothing is loaded from elsewhere, and only this program's script runs. */
const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;

/** One self-contained file. Alerts are at the top; those after the first section are at the end. */
export function renderPage({ brand, title, blocks, footer }: Page): string {
  const [head = [], ...parts] = splitBefore(
    shownOn('html', blocks),
    block => block.kind === 'heading' && block.level === 2,
  ).map(part => withLegends(part));
  const alerts = (among: readonly Block[]) =>
    among.filter(({ kind }) => kind === 'alert').map(block => renderBlock(block));
  const others = (among: readonly Block[]) => among.filter(({ kind }) => kind !== 'alert');
  const sections = parts.flatMap(([first, ...rest]) =>
    first?.kind === 'heading' ? [{ id: anchorOf(first.text), text: first.text, content: others(rest) }] : [],
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${alerts(head)}
<header><p class="brand">${brand}</p>${renderBlocks(others(head))}</header>
<nav aria-label="Contents"><ul>${sections.map(({ id, text }) => html`<li><a href="#${id}">${renderText(text)}</a></li>`)}</ul></nav>
<main>
${sections.map(
  ({ id, text, content }) =>
    html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${renderText(text)}</h2>${renderBlocks(content, text)}</section>
`,
)}</main>
${alerts(parts.flat())}
<footer><p>${renderText(footer)}</p></footer>
<p id="keys" hidden>The arrow keys show the values of this chart.</p>
<div id="tip" hidden></div><div id="said" aria-live="polite"></div>
<script>${new Html(script)}</script>
</body>
</html>
`;
  return page.toString();
}

/** Lists of which all but the first begin with a start. */
function splitBefore<Part>(
  parts: readonly Part[],
  isStart: (part: Part, previous: Part | undefined) => boolean,
): Part[][] {
  const lists: Part[][] = [[]];
  for (const [index, part] of parts.entries()) {
    if (isStart(part, parts[index - 1])) lists.push([]);
    lists.at(-1)?.push(part);
  }
  return lists;
}

/**
 * Narrow charts are placed side by side with neighbours of the same size.
 *
 * @param name what the blocks are about, which names tables without a title
 */
function renderBlocks(blocks: readonly Block[], name: Text = ''): Html {
  const isBeside = (block: Block, previous: Block | undefined) =>
    isInRow(block) && isInRow(previous) && block.size === previous.size;
  const groups = splitBefore(shownOn('html', blocks), (block, previous) => !isBeside(block, previous));
  let about = name;
  return html`${groups.map(([first, ...others]) => {
    if (first === undefined) return null;
    if (first.kind === 'heading') about = first.text;
    if (!isInRow(first)) return renderBlock(first, about);
    const row = [first, ...others].filter(isInRow);
    return html`<div class="charts${first.size === 'small' && ' small'}">${row.map(({ draw }) => draw())}</div>`;
  })}`;
}

function isInRow(block: Block | undefined): block is Chart {
  return block?.kind === 'chart' && block.size !== 'wide';
}

function renderBlock(block: Block, about: Text = ''): Content {
  switch (block.kind) {
    case 'alert':
      return html`<p class="alarm">${renderText(block.text)}</p>`;
    case 'heading':
      return block.level === 1
        ? html`<h1>${renderText(block.text)}</h1>`
        : html`<h3>${renderText(block.text)}</h3>`;
    case 'paragraph':
      return html`<p${classOf(block.tone)}>${renderText(block.text)}</p>`;
    case 'table':
      return renderTable({ ...block, title: block.title ?? about });
    case 'list':
      return renderList(block);
    case 'code':
      return renderCode(block);
    case 'details':
      return renderDetails(block);
    case 'chart':
      return block.draw();
  }
}

/**
 * A table that scrolls separately if the page is too narrow. End tags of rows and cells are left out, as HTML allows:
 * they would be a fifth of the page of a long run.
 */
export function renderTable(block: Table): Html {
  const { title = '', columns, rows } = tableOn('html', block);
  // If all columns except perhaps the first are figures, the style sheet needs no class in each cell.
  const numbers = columns.slice(1).every(({ align }) => align === 'right');
  const cellClass = (align: 'left' | 'right') => align === 'right' && !numbers && html` class=n`;
  return html`<div class="table" role="region" aria-label="${plainText(title)}" tabindex="0"><table${
    numbers && html` class="numbers"`
  }><thead><tr>${columns.map(({ name, align }) =>
    name === '' ? html`<td>` : html`<th scope="col"${cellClass(align)}>${name}`,
  )}<tbody>${rows.map(
    row =>
      html`<tr>${columns.map(({ align }, index) => html`<td${cellClass(align)}>${renderText(row[index] ?? '')}`)}`,
  )}</table></div>`;
}

function renderList({ items }: List): Html {
  if (items.some(({ label }) => label !== undefined)) {
    return html`<dl>${items.map(
      ({ label = '', text, tone }) =>
        html`<dt>${renderText(label)}</dt><dd${classOf(tone)}>${renderText(text)}</dd>`,
    )}</dl>`;
  }
  return html`<ul>${items.map(({ text, tone }) => html`<li${classOf(tone)}>${renderText(text)}</li>`)}</ul>`;
}

/** The script shows the button, which does nothing without it. */
function renderCode({ name, lines }: Code): Html {
  return html`<div class="copy"><button type="button" hidden aria-label="Copy: ${name}">Copy</button><pre tabindex="0" aria-label="${name}"><code>${lines.map(withoutControlCharacters).join('\n')}</code></pre></div>`;
}

/** Blocks with a tone, such as a verdict with its reasons, are cards; the rest are folded. */
function renderDetails({ summary, tone, open = false, blocks }: Details): Html {
  const content = renderBlocks(blocks, summary);
  if (tone === undefined) return fold(renderText(summary), content, open);
  return html`<article class="card ${toneClass(tone)}" id="${anchorOf(summary)}"><h3>${renderText(summary)}</h3>${content}</article>`;
}

export function fold(summary: Content, content: Content, open = false): Html {
  return html`<details${open && html` open`}><summary>${summary}</summary>${content}</details>`;
}

function renderText(text: Text): Content {
  return spansOf(text).map(renderSpan);
}

function renderSpan({ text, strong, code, link, tone, badge }: Span): Content {
  if (badge === true) return renderBadge(text, tone);
  let content: Content = text;
  if (code === true) content = html`<code>${content}</code>`;
  if (strong === true) content = html`<b>${content}</b>`;
  // Always relative: "javascript:" is then part of a file name.
  if (link !== undefined)
    content = html`<a href="./${link
      .replace(/\p{Cs}/gu, '')
      .split('/')
      .map(encodeURIComponent)
      .join('/')}">${content}</a>`;
  return tone === undefined ? content : html`<span class="${toneClass(tone)}">${content}</span>`;
}

/** For readers who cannot distinguish the colours. */
const signs: Partial<Record<Tone, string>> = {
  supported: '✓',
  good: '✓',
  refuted: '✕',
  bad: '✕',
  inconclusive: '?',
  unknown: '?',
  'not tested': '–',
};

/** A state as a word in a coloured field. Without a tone the style sheet knows it by its name. */
export function renderBadge(text: string, tone: Tone | undefined): Html {
  if (tone === undefined) return html`<span class="badge l-${text}">${text}</span>`;
  const sign = signs[tone];
  return html`<span class="badge ${toneClass(tone)}">${
    sign !== undefined && html`<span aria-hidden="true">${sign}</span> `
  }${text}</span>`;
}

const toneClass = (tone: Tone) => `t-${tone.replace(' ', '-')}`;
const classOf = (tone: Tone | undefined) => tone !== undefined && html` class="${toneClass(tone)}"`;

/** The anchor of a heading: "over-time"; for a claim, its id. */
function anchorOf(text: Text): string {
  const words = spansOf(text).filter(({ badge }) => badge !== true);
  const [title = ''] = plainText(words).trim().toLowerCase().split(':');
  return title.replace(/[^\w.-]+/g, '-');
}
