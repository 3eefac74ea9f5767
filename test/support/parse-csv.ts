/** Reads comma-separated values as RFC 4180 has them, character by character; throws on what it does not allow. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const [field, end] = text[at] === '"' ? readQuoted(text, at) : readPlain(text, at);
    row.push(field);
    if (text[end] === ',') {
      at = end + 1;
      if (at === text.length) throw new Error('ends in the middle of a line');
    } else if (text.startsWith('\r\n', end)) {
      rows.push(row);
      row = [];
      at = end + 2;
    } else throw new Error(`neither a comma nor the end of a line at ${end}: ${text.slice(end, end + 20)}`);
  }
  return rows;
}

function readQuoted(text: string, start: number): [field: string, end: number] {
  let field = '';
  for (let at = start + 1; ; at++) {
    if (at >= text.length) throw new Error('a quote is never closed');
    if (text[at] !== '"') field += text[at];
    else if (text[at + 1] === '"') field += text[at++];
    else return [field, at + 1];
  }
}

function readPlain(text: string, start: number): [field: string, end: number] {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== '\r') {
    if (text[end] === '"' || text[end] === '\n')
      throw new Error(`${JSON.stringify(text[end])} outside quotes`);
    end++;
  }
  return [text.slice(start, end), end];
}
