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
