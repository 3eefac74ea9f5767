/** One sample of an exposition. */
interface Scraped {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Scraped[];
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const suffixes = ['_bucket', '_sum', '_count'];

/**
 * Reads the text format of Prometheus, version 0.0.4, more strictly than Prometheus does: HELP, TYPE and samples of a
 * metric stand together, once; counters end with _total; buckets are cumulative and end with +Inf, which is the count.
 *
 * @throws Error where the text breaks a rule
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family & { samples: Scraped[] }>();
  let current: string | undefined;
  const lines = text.slice(0, -1).split('\n');
  for (const [index, line] of lines.entries()) {
    const wrong = (why: string) => new Error(`line ${index + 1}: ${why}: ${line}`);
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    if (help !== null) {
      const [, name = '', words = ''] = help;
      const [, typed, type = ''] =
        /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(lines[index + 1] ?? '') ?? [];
      if (!metricName.test(name) || typed !== name || families.has(name))
        throw wrong('no such metric, or again');
      if ((type === 'counter') !== name.endsWith('_total'))
        throw wrong('counters, and they alone, end with _total');
      families.set(name, { type, help: words, samples: [] });
      current = name;
      continue;
    }
    if (line.startsWith('# TYPE ') && lines[index - 1]?.startsWith('# HELP ')) continue;
    const family = families.get(current ?? '');
    const [, name = '', braces, number = ''] = /^([^{\s]+)(?:\{(.*)\})? (\S+)$/s.exec(line) ?? [];
    const suffix = suffixes.find(end => name === `${current}${end}`);
    if (family === undefined || (family.type === 'histogram' ? suffix === undefined : name !== current))
      throw wrong(`no sample of ${current}`);
    const value = Number(number);
    if (!Number.isFinite(value) || (family.type !== 'gauge' && value < 0)) throw wrong('no value');
    family.samples.push({ name, labels: braces === undefined ? {} : parseLabels(braces, wrong), value });
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function parseLabels(text: string, wrong: (why: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const [found = '', name = '', value = ''] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"(?:,(?=.)|$)/s.exec(rest) ?? [];
    if (found === '' || name in labels) throw wrong('labels');
    labels[name] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(found.length);
  }
  return labels;
}

function checkFamily(name: string, { type, samples }: Family): void {
  const keys = samples.map(sample => JSON.stringify([sample.name, sample.labels]));
  if (keys.length === 0 || new Set(keys).size < keys.length)
    throw new Error(`${name}: no sample, or one twice`);
  if (type !== 'histogram') return;
  const series = new Map<string, Scraped[]>();
  for (const sample of samples) {
    const { le, ...others } = sample.labels;
    const key = JSON.stringify(others);
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [labels, ofSeries] of series) {
    const buckets = ofSeries.filter(sample => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) =>
      le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le),
    );
    const counts = buckets.map(({ value }) => value);
    const rises = (figures: readonly number[]) =>
      figures.every((figure, i) => i === 0 || figure >= (figures[i - 1] ?? 0));
    const count = ofSeries.find(sample => sample.name === `${name}_count`)?.value;
    const sum = ofSeries.find(sample => sample.name === `${name}_sum`);
    if (!rises(bounds) || !rises(counts) || bounds.at(-1) !== Number.POSITIVE_INFINITY)
      throw new Error(`${name}${labels}: buckets`);
    if (counts.at(-1) !== count || sum === undefined) throw new Error(`${name}${labels}: sum and count`);
  }
}

/** The value of a metric that has one sample; with labels, of the one that has them. */
export function metricValue(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
  return family?.samples.find(
    sample =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;
}
