import fc from 'fast-check';
import { anyText } from './any-text.ts';

/** What a page says, for tests that have no browser. */

/** Text that would like to be markup, beside any other. */
export const hostileText = fc.oneof(
  fc.constantFrom(
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</style><svg onload=alert(1)>',
    '&lt;b&gt; &amp;',
    '--><!-- ]]>',
    'javascript:alert(1)',
    '\u0000\u202e\u2028<b>',
  ),
  anyText({ minLength: 1 }).map(text => `x${text}`),
);

/** The text of a cell or a tip as it was before it was escaped. */
export function unescapeHtml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

/** The tags of a page without their attributes' values, and without text: what markup there is. */
export function markupOf(page: string): string {
  return page
    .replace(/<(style|script)>.*?<\/\1>/gs, '<$1></$1>')
    .replace(/"[^"<>]*"/g, '""')
    .replace(/>[^<>]*</g, '><');
}

/** The tips of all charts, each as its lines. */
export function tipsOf(page: string): string[][] {
  return [...page.matchAll(/data-tip="([^"]*)"/g)].map(([, tip = '']) => unescapeHtml(tip).split('\n'));
}

/** A section or a fold of a page, without the folds in it, and those that it is in. */
interface Part {
  text: string;
  readonly around: readonly Part[];
}

/** The table of a chart is part of it. */
function partsOf(page: string): Part[] {
  const parts: Part[] = [];
  const open: Part[] = [];
  const withoutTables = page.replace(/<figure.*?<\/figure>/gs, figure =>
    figure.replace(/<\/?details[^>]*>/g, ''),
  );
  for (const piece of withoutTables.split(/(<\/?(?:section|details)\b[^>]*>)/)) {
    const current = open.at(-1);
    if (/^<\/(section|details)/.test(piece)) open.pop();
    else if (/^<(section|details)/.test(piece)) {
      const part = { text: '', around: [...open] };
      parts.push(part);
      open.push(part);
    } else if (current !== undefined) current.text += piece;
  }
  return parts;
}

/** For each section or fold with a figure that has this mark: how often a reader who has opened it finds the meaning. */
export function explanationsOf(page: string, mark: '≥' | '†'): number[] {
  const figure = mark === '≥' ? /≥\d/ : /\w†/;
  return partsOf(page)
    .filter(({ text }) => figure.test(text))
    .map(part => [part, ...part.around].filter(({ text }) => text.includes(`>${mark} marks`)).length);
}

/** The rows of the tables of one section, each as its cells. */
export function rowsOf(page: string, id: string): string[][] {
  const section = page.split(`<section id="${id}"`)[1]?.split('</section>')[0] ?? '';
  return section
    .split('<tr>')
    .slice(1)
    .map(row => row.split(/<tbody>|<\/table>/, 1)[0] ?? '')
    .map(row =>
      row
        .split(/<t[dh][^>]*>/)
        .slice(1)
        .map(cell => unescapeHtml(cell.replace(/<[^>]*>/g, ''))),
    );
}
