import { stripVTControlCharacters, styleText } from 'node:util';

/** Styles take no room. */
const widthOf = (text: string) => stripVTControlCharacters(text).length;

/** Breaks text into lines of at most `width` characters, each begun with `indent`. A longer word keeps its own line. */
export function wrapText(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line: string[] = [];
  let used = indent.length - 1;
  for (const word of text.split(/\s+/).filter(word => word !== '')) {
    if (line.length > 0 && used + 1 + widthOf(word) > width) {
      lines.push(indent + line.join(' '));
      line = [];
      used = indent.length - 1;
    }
    line.push(word);
    used += 1 + widthOf(word);
  }
  return line.length === 0 ? lines : [...lines, indent + line.join(' ')];
}

/** Aligns cells in columns as wide as their widest cell, two spaces apart. Those in `flushRight` are flush right. */
export function alignColumns(rows: readonly (readonly string[])[], flushRight: readonly boolean[]): string[] {
  const widths = flushRight.map((_, column) => Math.max(0, ...rows.map(row => widthOf(row[column] ?? ''))));
  return rows.map(row =>
    row
      .map((cell, column) => {
        const blanks = ' '.repeat((widths[column] ?? 0) - widthOf(cell));
        return flushRight[column] ? blanks + cell : cell + blanks;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** Columns of a terminal that everything must fit. */
export const terminalWidth = 80;

export type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

/** From Node 22.13, styleText checks standard output by default: here the caller decides. */
const alwaysStyle: (...args: [...Parameters<Style>, { validateStream: boolean }]) => string = styleText;

/** Styles text, or leaves it as it is. */
export function styleIf(colour: boolean): Style {
  return (format, text) => (colour ? alwaysStyle(format, text, { validateStream: false }) : text);
}
