const esc = '\u001b';
const parts = new RegExp(`${esc}\\[\\??[\\d;]*[a-zA-Z]|[^${esc}]`, 'g');
const up = new RegExp(`^${esc}\\[\\d+A$`);
const colour = new RegExp(`^${esc}\\[[\\d;]*m$`);

/** A terminal as far as poolbench uses it: wraps at its last column, reflows when it is resized, scrolls without end. */
export class FakeScreen {
  columns: number;
  rows: number;
  cursorShown = true;
  /** One a row; a row that goes on in the next one is `full`. */
  #rows: { text: string; full: boolean }[] = [{ text: '', full: false }];
  #row = 0;
  #column = 0;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** Everything on it, rows that wrapped as the one line they are, without the blank ones at its end. */
  get lines(): string[] {
    const lines = [''];
    for (const { text, full } of this.#rows) {
      lines.push(`${lines.pop()}${text}`);
      if (!full) lines.push('');
    }
    for (const [index, line] of lines.entries()) lines[index] = line.trimEnd();
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  /** The cursor is below all text, as it is between two writes. */
  resize(columns: number): void {
    const { lines } = this;
    this.columns = columns;
    this.#rows = [];
    for (const line of lines) {
      for (let at = 0; at === 0 || at < line.length; at += columns)
        this.#rows.push({ text: line.slice(at, at + columns), full: at + columns < line.length });
    }
    this.#rows.push({ text: '', full: false });
    this.#row = this.#rows.length - 1;
    this.#column = 0;
  }

  write(text: string): boolean {
    for (const [part] of text.matchAll(parts)) this.#take(part);
    return true;
  }

  #take(part: string): void {
    const row = this.#at(this.#row);
    if (part === '\n') {
      this.#row++;
      this.#column = 0;
      this.#at(this.#row);
    } else if (part === '\r') this.#column = 0;
    else if (part === '\u001b[?25l') this.cursorShown = false;
    else if (part === '\u001b[?25h') this.cursorShown = true;
    else if (part === '\u001b[K') Object.assign(row, { text: row.text.slice(0, this.#column), full: false });
    else if (part === '\u001b[J') {
      Object.assign(row, { text: row.text.slice(0, this.#column), full: false });
      this.#rows.length = this.#row + 1;
    } else if (up.test(part)) this.#row = Math.max(0, this.#row - Number.parseInt(part.slice(2), 10));
    else if (colour.test(part)) return;
    else if (part.startsWith('\u001b')) throw new Error(`no such control here: ${JSON.stringify(part)}`);
    else this.#put(part);
  }

  #put(character: string): void {
    if (this.#column === this.columns) {
      this.#at(this.#row).full = true;
      this.#row++;
      this.#column = 0;
    }
    const row = this.#at(this.#row);
    row.text =
      row.text.padEnd(this.#column).slice(0, this.#column) + character + row.text.slice(this.#column + 1);
    this.#column++;
  }

  #at(index: number): { text: string; full: boolean } {
    while (this.#rows.length <= index) this.#rows.push({ text: '', full: false });
    return this.#rows[index] as { text: string; full: boolean };
  }
}
