import { stripVTControlCharacters } from 'node:util';
import type { RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/stats/metrics.ts';
import { loadsOf } from '../../aggregate/stats/populations.ts';
import { formatCount, toPlainLines } from '../../aggregate/text/format.ts';
import type { Style } from '../../aggregate/text/text-layout.ts';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import type { Outlet, Snapshot, Step } from './snapshot.ts';
import { describeFailures, describeLine, describeView, minColumns } from './view.ts';

/** Rows that stay free for printed text. */
const rowsAbove = 4;

/** A run on a terminal: printed text scrolls above a view that is repainted, and removed at the end. */
export class Screen implements Outlet {
  readonly #stream: NodeJS.WriteStream;
  readonly #style: Style;
  readonly #painted: Repainted;

  constructor(stream: NodeJS.WriteStream, style: Style) {
    this.#stream = stream;
    this.#style = style;
    this.#painted = new Repainted(stream);
  }

  /** Wrapped here, because a terminal would break long lines within words. */
  say(text: string): void {
    const { columns } = this.#size;
    const lines = toPlainLines(text)
      .split('\n')
      .flatMap(line => (line.length <= columns ? line : wrapText(line, columns)));
    this.#painted.above(lines.map(line => `${line}\n`).join(''));
  }

  show(snapshot: Snapshot): void {
    const { columns, rows } = this.#size;
    const view = columns < minColumns ? [] : ['', ...describeView(snapshot, columns, this.#style)];
    this.#painted.paint(
      view.length > 0 && view.length + rowsAbove <= rows ? view : [describeLine(snapshot, columns)],
    );
  }

  /** Only failures are worth a line at once; the tables at the end have everything. */
  finished({ round, scenario }: Step, result: RoundResult): void {
    for (const load of loadsOf({ id: scenario, rounds: [result] }))
      for (const { failed, issued } of load.rounds) {
        if (failedOf({ failed }) === 0) continue;
        const codes = describeFailures(failed);
        this.say(`round ${round}, ${load.id}: failed ${codes} of ${formatCount(issued)} operations`);
      }
  }

  end(): void {
    this.#painted.clear();
  }

  /** With defaults for a terminal that does not report its size. */
  get #size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#stream.columns || 80, rows: this.#stream.rows || 24 };
  }
}

const csi = '\u001b[';
const hideCursor = `${csi}?25l`;
const showCursor = `${csi}?25h`;
const clearToEndOfLine = `${csi}K`;
const clearBelow = `${csi}J`;
const up = (rows: number) => (rows > 0 ? `\r${csi}${rows}A` : '\r');

/**
 * Lines at the bottom of a terminal that are repainted, with the hidden cursor below them. Unless the process is
 * killed, the cursor is shown again at its end, and while it is suspended with Ctrl-Z.
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

  /** Each line must be shorter than the terminal is wide. One write, without blank lines in between, does not flicker. */
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

  /** Writes whole lines that stay, above the painted ones. */
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

  /** A terminal that has become narrower has broken long lines into several. */
  #toTop(): string {
    const { columns } = this.#stream;
    const rowsOf = (line: string) =>
      columns > 0 ? Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)) : 1;
    return up(this.#lines.reduce((rows, line) => rows + rowsOf(line), 0));
  }
}
