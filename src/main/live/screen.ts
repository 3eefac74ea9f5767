import type { RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/summary.ts';
import { formatCount, toPlainLines } from '../../aggregate/text/format.ts';
import type { Style } from '../../aggregate/text/terminal-style.ts';
import { describeFailures } from './failure-words.ts';
import type { Outlet } from './outlet.ts';
import { Repainted } from './repainted.ts';
import type { Snapshot, Step } from './snapshot.ts';
import { describeLine, describeView, fewestColumns } from './view.ts';

/** Rows that stay for what was said. */
const rowsAbove = 4;

/** A run on a terminal: what is said scrolls above a view that is painted over, and goes when the run is over. */
export class Screen implements Outlet {
  readonly #stream: NodeJS.WriteStream;
  readonly #style: Style;
  readonly #painted: Repainted;

  constructor(stream: NodeJS.WriteStream, style: Style) {
    this.#stream = stream;
    this.#style = style;
    this.#painted = new Repainted(stream);
  }

  say(text: string): void {
    this.#painted.above(`${toPlainLines(text)}\n`);
  }

  show(snapshot: Snapshot): void {
    // A terminal without a size has one that nobody knows.
    const columns = this.#stream.columns || 80;
    const rows = this.#stream.rows || 24;
    const view = columns < fewestColumns ? [] : ['', ...describeView(snapshot, columns, this.#style)];
    this.#painted.paint(
      view.length > 0 && view.length + rowsAbove <= rows ? view : [describeLine(snapshot, columns)],
    );
  }

  /** What went well is in the tables at the end; what failed is worth a line at once. */
  finished({ round, scenario }: Step, result: RoundResult): void {
    const failed = failedOf(result);
    if (failed === 0) return;
    const share = `${formatCount(failed)} of ${formatCount(result.issued)} operations failed`;
    this.say(`round ${round}, ${scenario}: ${share}: ${describeFailures(result.failed)}`);
  }

  rest(): void {
    this.#painted.clear();
  }
}
