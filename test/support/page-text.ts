/** What a page says, for tests that have no browser. */

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
