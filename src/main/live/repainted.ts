import { stripVTControlCharacters } from 'node:util';

const csi = '\u001b[';
const hideCursor = `${csi}?25l`;
const showCursor = `${csi}?25h`;
const clearToEndOfLine = `${csi}K`;
const clearBelow = `${csi}J`;
const up = (rows: number) => (rows > 0 ? `\r${csi}${rows}A` : '\r');

/**
 * Lines at the bottom of a terminal that are painted over and over, with the cursor below them, hidden. However the
 * process ends, short of being killed, the cursor is there again; and while it is suspended with Ctrl-Z.
 */
export class Repainted {
  readonly #stream: NodeJS.WriteStream;
  #lines: readonly string[] = [];
  readonly #showCursor = () => this.#stream.write(showCursor);
  readonly #suspend = () => {
    this.clear();
    process.kill(process.pid, 'SIGSTOP');
  };

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Each must be shorter than the terminal is wide. One write a time, and no line is blank in between: no flicker. */
  paint(lines: readonly string[]): void {
    const first = this.#lines.length === 0;
    if (first) {
      process.once('exit', this.#showCursor);
      process.on('SIGTSTP', this.#suspend);
    }
    const painted = lines.map(line => `${line}${clearToEndOfLine}\n`).join('');
    this.#stream.write(`${first ? hideCursor : this.#toTop()}${painted}${clearBelow}`);
    this.#lines = lines;
  }

  /** Writes text that stays, of whole lines, where the painted ones begin; they follow it. */
  above(text: string): void {
    const lines = this.#lines;
    if (lines.length === 0) {
      this.#stream.write(text);
      return;
    }
    const painted = lines.map(line => `${line}\n`).join('');
    this.#stream.write(`${this.#toTop()}${clearBelow}${text}${painted}`);
  }

  /** Takes the lines away and shows the cursor. */
  clear(): void {
    if (this.#lines.length === 0) return;
    this.#stream.write(`${this.#toTop()}${clearBelow}${showCursor}`);
    this.#lines = [];
    process.off('exit', this.#showCursor);
    process.off('SIGTSTP', this.#suspend);
  }

  /** A terminal that has become narrower since has broken long lines in several. */
  #toTop(): string {
    const { columns } = this.#stream;
    const rowsOf = (line: string) =>
      columns > 0 ? Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)) : 1;
    return up(this.#lines.reduce((rows, line) => rows + rowsOf(line), 0));
  }
}
