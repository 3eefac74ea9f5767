import type { RoundResult } from '../../aggregate/result.ts';
import { failedOf } from '../../aggregate/stats/metrics.ts';
import { formatCount, toPlainLines } from '../../aggregate/text/format.ts';
import type { Style } from '../../aggregate/text/text-layout.ts';
import { wrapText } from '../../aggregate/text/text-layout.ts';
import { Repainted } from './repainted.ts';
import type { Outlet, Snapshot, Step } from './snapshot.ts';
import { describeFailures, describeLine, describeView, minColumns } from './view.ts';

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

  /** A terminal would break a long line within words. */
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

  /** What went well is in the tables at the end; what failed is worth a line at once. */
  finished({ round, scenario }: Step, result: RoundResult): void {
    if (failedOf(result) === 0) return;
    const codes = describeFailures(result.failed);
    this.say(`round ${round}, ${scenario}: failed ${codes} of ${formatCount(result.issued)} operations`);
  }

  rest(): void {
    this.#painted.clear();
  }

  /** A terminal may not tell. */
  get #size(): { readonly columns: number; readonly rows: number } {
    return { columns: this.#stream.columns || 80, rows: this.#stream.rows || 24 };
  }
}
