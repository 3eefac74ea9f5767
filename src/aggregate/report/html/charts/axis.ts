import { scaleLinear, scaleLog, scaleUtc } from 'd3-scale';

interface Tick {
  readonly at: number;
  readonly label: string;
}

/** What an axis shows, before it has a place. */
export interface Axis {
  /** What is on it, with its unit. */
  readonly label: string;
  readonly kind: 'linear' | 'log';
  readonly domain: readonly [number, number];
  readonly ticks: readonly Tick[];
}

export type Format = (value: number) => string;

/** A round number without zeros after the decimal point: "60k", "0.1". */
function shorten(label: string): string {
  return label.replace(/\.0+(?=\D*$)/, '').replace(/(\.\d*[1-9])0+(?=\D*$)/, '$1');
}

/** From 0 to a round number above all values. */
export function axisFromZero(label: string, values: readonly number[], format: Format, count = 5): Axis {
  const max = Math.max(0, ...values.filter(Number.isFinite));
  const scale = scaleLinear([0, max === 0 ? 1 : max], [0, 1]).nice(count);
  const [low = 0, high = 1] = scale.domain();
  return {
    label,
    kind: 'linear',
    domain: [low, high],
    ticks: scale.ticks(count).map(at => ({ at, label: shorten(format(at)) })),
  };
}

/** More labels would touch. */
const maxTicks = 7;
/** A logarithmic axis of a smaller ratio is widened to this one, or noise would fill the chart. */
const minSpan = 1.6;

/** Logarithmic, with a little room at either end; values of 0 or below cannot be shown. */
export function logAxis(label: string, values: readonly number[], format: Format, max = maxTicks): Axis {
  const known = values.filter(value => Number.isFinite(value) && value > 0);
  const low = known.length === 0 ? 1 : Math.min(...known);
  const high = known.length === 0 ? 1 : Math.max(...known);
  const widened = Math.max(1.08, Math.sqrt(minSpan / (high / low)));
  const domain = [low / widened, high * widened] as const;
  return {
    label,
    kind: 'log',
    domain,
    ticks: logTicks(domain, max).map(at => ({ at, label: shorten(format(at)) })),
  };
}

/** The finest round numbers that do not crowd the domain. */
function logTicks([low, high]: readonly [number, number], max: number): number[] {
  const kinds = [
    [
      1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.25, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8, 8.5, 9,
      9.5,
    ],
    [1, 1.5, 2, 3, 4, 5, 6, 8],
    [1, 2, 3, 5, 7],
    [1, 2, 5],
    [1, 3],
    [1],
  ];
  const decades = (step: number, digits: readonly number[]): number[] => {
    const first = Math.floor(Math.log10(low) / step) * step;
    const powers = Array.from(
      { length: Math.ceil((Math.log10(high) - first) / step) + 1 },
      (_, index) => first + index * step,
    );
    return powers
      .flatMap(power => digits.map(digit => Number((digit * 10 ** power).toPrecision(6))))
      .filter(at => at >= low && at <= high);
  };
  for (const digits of kinds) {
    const ticks = decades(1, digits);
    if (ticks.length <= max) return ticks;
  }
  for (let step = 2; ; step++) {
    const ticks = decades(step, [1]);
    if (ticks.length <= max) return ticks;
  }
}

/** Ticks at the values themselves, on a logarithmic axis where they span enough; of two that would touch one is left out. */
export function axisOfLevels(label: string, levels: readonly number[], format: Format): Axis {
  const sorted = [...new Set(levels)].toSorted((a, b) => a - b);
  const low = sorted[0] ?? 1;
  const high = sorted.at(-1) ?? 1;
  const kind = low > 0 && high / low > 3 ? 'log' : 'linear';
  const margin = kind === 'log' ? (high / low) ** 0.06 : Math.max((high - low) * 0.06, low * 0.05, 0.5);
  const domain =
    kind === 'log' ? ([low / margin, high * margin] as const) : ([low - margin, high + margin] as const);
  const place = scaleOf({ kind, domain }, [0, 1]);
  const ticks: Tick[] = [];
  for (const at of sorted) {
    const previous = ticks.at(-1);
    if (previous === undefined || place(at) - place(previous.at) >= 0.09)
      ticks.push({ at, label: shorten(format(at)) });
  }
  return { label, kind, domain, ticks };
}

const minMarginMs = 10 * 60_000;
const maxHourlyMs = 4 * 24 * 3_600_000;

/** Times in milliseconds since 1970: days of the year, with the hour if there are few of them. */
export function axisOfTime(label: string, times: readonly number[]): Axis {
  const [low, high] = [Math.min(...times), Math.max(...times)];
  const margin = Math.max((high - low) * 0.03, minMarginMs);
  const domain = [low - margin, high + margin] as const;
  const shown = high - low > maxHourlyMs ? 'YYYY-MM-DD'.length : 'YYYY-MM-DDTHH:MM'.length;
  return {
    label,
    kind: 'linear',
    domain,
    ticks: scaleUtc(domain, [0, 1])
      .ticks(4)
      .map(date => ({
        at: date.getTime(),
        label: date.toISOString().slice('YYYY-'.length, shown).replace('T', ' '),
      })),
  };
}

/** From values to places. */
export function scaleOf(
  { kind, domain }: Pick<Axis, 'kind' | 'domain'>,
  range: readonly [number, number],
): (value: number) => number {
  const scale = kind === 'log' ? scaleLog(domain, range) : scaleLinear(domain, range);
  return value => scale(value);
}
