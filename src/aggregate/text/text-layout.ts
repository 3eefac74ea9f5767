/** Breaks text into lines of at most `width` characters, each begun with `indent`. A longer word keeps its own line. */
export function wrapText(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter(word => word !== '')) {
    if (line !== indent && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  if (line !== indent) lines.push(line);
  return lines;
}

/** Lines up cells in columns as wide as their widest cell, two spaces apart. Columns are flush right if told so. */
export function alignColumns(rows: readonly (readonly string[])[], flushRight: readonly boolean[]): string[] {
  const widths = flushRight.map((_, column) => Math.max(0, ...rows.map(row => row[column]?.length ?? 0)));
  return rows.map(row =>
    row
      .map((cell, column) =>
        flushRight[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
