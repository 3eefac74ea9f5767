import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from '../src/aggregate/stats/statistics.ts';

/** What a bench found: on the screen at once, and in a file at its end. Markdown, both. */
export class Report {
  readonly #lines: string[] = [];

  say(line: string): void {
    this.#lines.push(line);
    console.log(line);
  }

  title(text: string): void {
    this.say(`### ${text}\n`);
  }

  table(head: readonly string[], rows: readonly (readonly string[])[]): void {
    const widths = head.map((cell, column) =>
      Math.max(cell.length, ...rows.map(row => row[column]?.length ?? 0)),
    );
    const line = (cells: readonly string[]) =>
      `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
    this.say(line(head));
    this.say(`| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`);
    for (const row of rows) this.say(line(row));
    this.say('');
  }

  /** Writes all of it to bench/results/ and returns the file's name. */
  write(): string {
    const folder = fileURLToPath(new URL('results/', import.meta.url));
    mkdirSync(folder, { recursive: true });
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
    const name = `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${commit}.md`;
    writeFileSync(`${folder}${name}`, `${this.#lines.join('\n')}\n`);
    return `bench/results/${name}`;
  }
}

/** The median, and the lowest and highest of the rounds. */
export function range(values: readonly number[], digits: number): string {
  if (values.length === 0) return '–';
  const [middle, low, high] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
}

/** Operations per second, in thousands. */
export function thousands(opsPerSecond: number): string {
  return `${(opsPerSecond / 1000).toFixed(opsPerSecond < 100_000 ? 1 : 0)}k`;
}
