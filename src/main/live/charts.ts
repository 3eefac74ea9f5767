const heights = '▁▂▃▄▅▆▇█';

/** Figures as a row of blocks, the highest of them a full one, as many of the latest as fit; blank where there is none. */
export function sparkline(figures: readonly (number | null)[], columns: number): string {
  const shown = figures.slice(Math.max(0, figures.length - columns));
  const most = Math.max(0, ...shown.map(figure => figure ?? 0));
  return shown.map(figure => (figure === null ? ' ' : block(most > 0 ? figure / most : 0))).join('');
}

/** A share of 0 to 1 as one block. */
export function block(share: number): string {
  return heights[Math.min(heights.length - 1, Math.floor(share * heights.length))] ?? ' ';
}

/** A share of 0 to 1 as a line, the part up to it thick. */
export function bar(share: number, columns: number): { readonly done: string; readonly left: string } {
  const done = Math.min(columns, Math.round(share * columns));
  return { done: '━'.repeat(done), left: '─'.repeat(columns - done) };
}
