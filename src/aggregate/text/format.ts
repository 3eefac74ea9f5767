import { coverageOf } from '../stats/sign-test.ts';
import { type Interval, isUnbounded } from '../stats/statistics.ts';

/** `2 min 48 s`, `25 s`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `0.25 s`, `5 s`, `1235 s`: a short time whose fraction matters, to three digits. */
export function formatSeconds(seconds: number): string {
  return `${seconds < 100 ? Number(seconds.toPrecision(3)) : Math.round(seconds)} s`;
}

/** Shown if nothing was measured. */
export const nothing = '–';

/** A figure as text, or a dash for null. */
export function formatKnown(value: number | null, format: (value: number) => string): string {
  return value === null ? nothing : format(value);
}

/** Three significant digits, in plain notation and with their zeros: 0.412, 4.10, 41.2, 412, 4120. A latency of an arm that did nothing is infinite, and so is a ratio to it. */
function threeDigits(value: number): string {
  if (value === 0) return '0';
  if (value === Number.POSITIVE_INFINITY) return '∞';
  const digitsBefore = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(3))))) + 1;
  return value.toFixed(Math.min(3, Math.max(0, 3 - digitsBefore)));
}

/** A rate or a number for a narrow column: 987, 12.3k, 1.23M. */
export function formatRate(value: number): string {
  // 999.5 and above would be shown as 1000.
  if (Math.abs(value) >= 999_500) return `${threeDigits(value / 1e6)}M`;
  if (Math.abs(value) >= 999.5) return `${threeDigits(value / 1e3)}k`;
  return threeDigits(value);
}

/** A count that is exact: 1,234,567. */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US');
}

/** Milliseconds to three digits, a microsecond at least: 0.412, 12.3, 1234. */
export function formatMs(value: number): string {
  return threeDigits(value);
}

/** A fraction of 0 to 1: 0.5 %, 12 %. */
export function formatFraction(fraction: number): string {
  const percent = fraction * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** A fraction of 0 to 1 to hundredths of a percent, for one that may be close to 1: 99.85 %. */
export function formatPercent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))} %`;
}

/** ×1.41. */
export function formatRatio(ratio: number): string {
  return `×${ratioDigits(ratio)}`;
}

/** Two decimals below 10, so that 5 % is always visible. */
const ratioDigits = (ratio: number) => (ratio < 9.995 ? ratio.toFixed(2) : threeDigits(ratio));

/** "×1.41 [1.35, 1.47]"; a dash for null, and if nothing is excluded: a ratio of too few rounds can point either way. */
export function formatRatioInterval(ratio: Interval | null): string {
  if (ratio === null || excludesNothing(ratio)) return nothing;
  return `×${formatInterval(ratio, ratioDigits)}`;
}

/** Whether no value of a ratio is excluded. */
export const excludesNothing = ({ low, high }: Pick<Interval, 'low' | 'high'>): boolean =>
  low <= 0 && high === Number.POSITIVE_INFINITY;

/** "at least ×1.35", "at most ×0.92": what is sure of a ratio with one end that nothing bounds; null if it has two. */
export function formatSureEnd({ low, high }: Pick<Interval, 'low' | 'high'>): string | null {
  if (high === Number.POSITIVE_INFINITY) return low > 0 ? `at least ${formatRatio(low)}` : null;
  return low <= 0 ? `at most ${formatRatio(high)}` : null;
}

/**
 * "34.2k [33.9k, 34.8k]", or a dash for null. "0.97 […, 1.03]" if nothing bounds the low end, and no ends if nothing bounds
 * either.
 */
export function formatInterval(interval: Interval | null, format: (value: number) => string): string {
  if (interval === null) return nothing;
  const { median, low, high } = interval;
  if (isUnbounded(interval)) return format(median);
  return `${format(median)} [${low === Number.NEGATIVE_INFINITY ? '…' : format(low)}, ${format(high)}]`;
}

/** "×1.15 or more", "×0.95 to ×1.05"; where no end is open and both are equal, that one. */
export function formatRange(
  { low, high }: { readonly low: number | null; readonly high: number | null },
  format: (value: number) => string,
): string {
  if (low !== null && high !== null) return low === high ? format(low) : `${format(low)} to ${format(high)}`;
  if (low !== null) return `${format(low)} or more`;
  return high === null ? 'anything' : `${format(high)} or less`;
}

/** Intervals over this many rounds, to follow "with". docs/method.md explains their coverage. */
export function describeIntervals(rounds: number): string {
  const coverage = coverageOf(rounds);
  return coverage === 0 ? 'no intervals, which need two rounds' : formatConfidence(coverage);
}

/** "96.9 % confidence intervals". @param coverage min probability, 0 to 1 */
export function formatConfidence(coverage: number): string {
  return `${Number((coverage * 100).toFixed(1))} % confidence intervals`;
}

/** "ioredis", "ioredis and wire", "a, b and c". */
export function formatList(items: readonly string[]): string {
  if (items.length < 2) return items.join();
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** "1 pool", "2 pools". */
export function formatPlural(count: number, singular: string): string {
  return `${formatCount(count)} ${singular}${count === 1 ? '' : 's'}`;
}

/** Foreign text as one line without control characters, which could move a terminal's cursor or break a table. */
export function toOneLine(text: string): string {
  return withoutControlCharacters(text).trim();
}

/** The same with the blanks at its ends. */
export function withoutControlCharacters(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Text that may include foreign text, with its line breaks but without other control characters: see `toOneLine`. */
export function toPlainLines(text: string): string {
  return text.split('\n').map(withoutControlCharacters).join('\n');
}

/** Upper-cases the first letter, to begin a sentence. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A clause, or several sentences, with a capital at the start and a period at the end. */
export function asSentence(text: string): string {
  return `${capitalise(text)}${/[.!?…]$/.test(text) ? '' : '.'}`;
}
