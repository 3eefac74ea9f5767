import { describe, expect, test } from 'vitest';
import { trendCaveat, trendDocument } from '../../src/aggregate/report/documents/trend.ts';
import { renderTrendPage } from '../../src/aggregate/report/html/trend-page.ts';
import { renderTerminal } from '../../src/aggregate/report/terminal.ts';
import type { MeasuredResult, Result } from '../../src/aggregate/result.ts';
import { quantile } from '../../src/aggregate/stats/statistics.ts';
import { minPairs, type Trend, trendOf, trendRunOf } from '../../src/aggregate/trend/trend.ts';
import { readResult } from '../../src/main/run/results/read-result.ts';
import { markupOf, rowsOf, tipsOf } from '../support/page-text.ts';
import { buildResult, buildRound, buildScenario } from '../support/result-builder.ts';

const config = { workload: { keys: 100, valueBytes: 32 }, rounds: 6, seconds: 1, warmupSeconds: 0.25 };

interface Built {
  readonly day: number;
  readonly opsPerSecond?: number;
  /** Of each control to its twin. */
  readonly controls?: readonly number[];
  readonly workers?: number;
  readonly changes?: Partial<Result>;
}

function build({ day, opsPerSecond = 20_000, controls = [], workers = 10, changes = {} }: Built): Result {
  const armOf = (id: string, rate: number) =>
    buildScenario(
      { id, workers },
      [0.9, 1, 1.1, 1, 1, 1].map((factor, index) => buildRound(index + 1, rate * factor)),
    );
  const arms = ['a', 'b'].map((id, index) => armOf(`${id}${workers}`, opsPerSecond * (index + 1)));
  const twins = controls.map((factor, index): MeasuredResult => {
    const rate = opsPerSecond * ((index % 2) + 1) * factor;
    return { ...armOf(`${arms[index % 2]?.id}-control`, rate), control: true };
  });
  const startedAt = new Date(Date.UTC(2026, 10, day)).toISOString();
  return {
    ...buildResult(arms, { config, claims: [], startedAt, ...changes }),
    scenarios: [...arms, ...twins],
  };
}

const runOf = (built: Built, path = `day ${built.day}`) => trendRunOf(path, build(built));

/** @throws Error if there is none */
function trendOfRuns(...built: readonly Built[]): Trend {
  const trend = trendOf(
    built.map((one, index) => runOf(one, `run ${index}`)),
    [],
  );
  if (trend === null) throw new Error('no trend');
  return trend;
}

describe('a trend', () => {
  test('has the median of each run in the order of time, for each scenario', () => {
    const { lines, leftOut } = trendOfRuns(
      { day: 3, opsPerSecond: 30_000 },
      { day: 1, opsPerSecond: 10_000 },
      { day: 2, opsPerSecond: 20_000 },
    );
    expect(leftOut).toEqual([]);
    expect(lines.map(({ id, metric }) => [id, metric.name])).toEqual([
      ['a10', 'throughput'],
      ['a10', 'response p99'],
      ['b10', 'throughput'],
      ['b10', 'response p99'],
    ]);
    expect(lines[2]).toMatchObject({
      median: { value: 40_000, caveat: null },
      lowest: { value: 20_000 },
      highest: { value: 60_000 },
      band: null,
    });
    expect(lines[2]?.points).toMatchObject([
      { startedMs: Date.UTC(2026, 10, 1), median: 20_000, low: 18_000, high: 22_000 },
      { startedMs: Date.UTC(2026, 10, 2), median: 40_000 },
      { startedMs: Date.UTC(2026, 10, 3), median: 60_000 },
    ]);
  });

  test('has a band as wide as nearly all pairs of identical arms of one run are apart', () => {
    const ratios = [1.01, 0.98, 1.03, 0.99, 1, 0.94];
    const { lines, noise } = trendOfRuns(
      ...[0, 1, 2].map(index => ({
        day: index + 1,
        opsPerSecond: 20_000 * (index + 1),
        controls: ratios.slice(index * 2, index * 2 + 2),
      })),
    );
    const ratio = Math.exp(
      quantile(
        ratios.map(one => Math.abs(Math.log(one))),
        0.95,
      ),
    );
    expect(noise[0]).toMatchObject({ pairs: 6, ratio: expect.closeTo(ratio, 10) });
    expect(lines[0]?.band).toEqual({
      low: expect.closeTo(40_000 / ratio, 6),
      high: expect.closeTo(40_000 * ratio, 6),
    });
  });

  test('has no band while there are too few of them', () => {
    const controls = [1, 0.9];
    const { lines, noise } = trendOfRuns({ day: 1, controls }, { day: 2, controls });
    expect(noise.map(({ pairs, ratio }) => [pairs, ratio])).toEqual([
      [4, null],
      [4, null],
    ]);
    expect(noise[0]?.pairs).toBeLessThan(minPairs);
    expect(lines.every(({ band }) => band === null)).toBe(true);
  });

  test('goes on when versions, system or the number of rounds change', () => {
    const { environment, target } = build({ day: 1 });
    const { runs } = trendOfRuns(
      { day: 1 },
      {
        day: 2,
        changes: {
          tool: { name: 'poolbench', version: '0.9.0' },
          environment: {
            ...environment,
            node: '24.0.0',
            os: 'linux 7',
            memoryBytes: environment.memoryBytes + 2 ** 20,
          },
          target: { ...target, detected: { ...target.detected, version: '9.0' } },
          // A key of a later version with its default.
          config: {
            ...config,
            rounds: { atLeast: 10, atMost: 50 },
            workload: { valueBytes: 32, keys: 100, ycsb: null },
          },
        },
      },
    );
    expect(runs).toHaveLength(2);
  });
});

describe('results that do not belong to it are left out, with the reason', () => {
  const { environment, target } = build({ day: 1 });

  test.each<[Omit<Built, 'day'>, RegExp]>([
    [{ changes: { name: 'other' } }, /^config: other, not redis$/],
    [{ changes: { config: { ...config, workload: { keys: 7 } } } }, /^workload: .*"keys":7/],
    [{ changes: { config: { ...config, seconds: 0.3 } } }, /^time of a measurement: 0\.3 s/],
    [{ changes: { environment: { ...environment, cpu: 'another' } } }, /^machine: another, 8 cores/],
    [{ changes: { environment: { ...environment, cores: 4 } } }, /^machine: /],
    [{ changes: { target: { ...target, standIn: true } } }, /^server: /],
    [
      { changes: { target: { ...target, local: false } } },
      /^place of the server: elsewhere, .*; address of the server: redis:\/\/localhost/,
    ],
    [{ changes: { complete: false } }, /ended early/],
    [{ workers: 50 }, /no scenario in common/],
  ])('%j', (built, reason) => {
    const { runs, leftOut } = trendOfRuns({ day: 1 }, { day: 2, ...built }, { day: 3 });
    expect(runs.map(({ path }) => path)).toEqual(['run 0', 'run 2']);
    expect(leftOut).toEqual([{ path: 'run 1', reason: expect.stringMatching(reason) }]);
  });

  test('a copy of a run is one run', () => {
    const { runs, leftOut } = trendOfRuns({ day: 1 }, { day: 1 });
    expect(runs).toHaveLength(1);
    expect(leftOut).toEqual([{ path: 'run 1', reason: 'the same run as run 0' }]);
  });

  test('of two configs with as many runs the one of the newest run is shown', () => {
    const other = { changes: { name: 'other' } };
    expect(trendOfRuns({ day: 1 }, { day: 2, ...other }).newest.name).toBe('other');
    expect(trendOfRuns({ day: 1 }, { day: 2 }, { day: 3, ...other }).newest.name).toBe('redis');
  });

  test('the config can be named, and the others are', () => {
    const runs = [{ day: 1 }, { day: 2 }, { day: 3, changes: { name: 'other' } }].map(one => runOf(one));
    expect(trendOf(runs, [])).toMatchObject({
      newest: { name: 'redis' },
      others: [{ name: 'other', runs: 1 }],
    });
    const other = trendOf(runs, [], 'other');
    expect(other).toMatchObject({ newest: { name: 'other' }, others: [{ name: 'redis', runs: 2 }] });
    if (other === null) throw new Error('no trend');
    for (const shown of [renderTerminal(trendDocument(other), false), renderTrendPage(other)])
      expect(shown.replace(/\s+/g, ' ')).toMatch(/results of other configs: redis \(2 runs\)/);
    expect(trendOf(runs, [], 'none')).toBeNull();
  });

  test('there is no trend without a run that was measured to its end', () => {
    expect(trendOf([], [])).toBeNull();
    expect(trendOf([runOf({ day: 1, changes: { complete: false } })], [])).toBeNull();
  });
});

test('a result of 0.4 is a point with its own figures', async () => {
  const result = await readResult(new URL('../fixtures/result-0.4.json', import.meta.url).pathname);
  const trend = trendOf([trendRunOf('.', result)], []);
  expect(trend?.lines).toHaveLength(2 * result.scenarios.length);
  for (const { id, metric, points } of trend?.lines ?? []) {
    const summary = result.scenarios.find(scenario => scenario.id === id)?.summary;
    expect(points.map(({ median }) => median)).toEqual([summary?.[metric.summaryKey]?.median]);
  }
});

describe('its renderings', () => {
  const trend = trendOfRuns(
    ...[1, 2, 3].map(day => ({ day, opsPerSecond: 20_000 + day, controls: [1.02, 0.97] })),
    { day: 4, changes: { name: '<script>x</script>' } },
  );
  const page = renderTrendPage(trend);

  test('the page has a chart for each line, with the figures of every run and the band', () => {
    const tips = tipsOf(page).filter(([, value]) => value?.startsWith('throughput: 20,00'));
    expect(tips).toContainEqual(['2026-11-02 00:00 UTC', 'throughput: 20,002 [18,001.8, 22,002.2] ops/s']);
    expect(tips).toHaveLength(3);
    expect(page.match(/<rect class="band" x="46"/g)).toHaveLength(trend.lines.length);
    expect(rowsOf(page, 'runs')).toHaveLength(1 + 3);
  });

  test('every figure in the table has its marks, and both explain them', () => {
    // With 2,000 or 4,000 operations a round, a p99 is practically the worst stall.
    const marked = trendOfRuns(
      ...[1, 2, 3].map(day => ({ day, opsPerSecond: 2000, controls: [1.02, 0.97, 1.01] })),
    );
    const text = renderTerminal(trendDocument(marked), false);
    const row = text.split('\n').find(line => line.includes('p99 ms')) ?? '';
    expect(row.match(/\d†/g)).toHaveLength(7);
    const page = renderTrendPage(marked);
    expect(
      rowsOf(page, 'throughput-and-p99')
        .filter(cells => cells.includes('p99 ms'))
        .map(cells => cells.join(' ').match(/\d†/g)?.length),
    ).toEqual([7, 7]);
    for (const shown of [text, page]) expect(shown).toContain('† marks');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  test('both say that single points prove nothing, and what is left out', () => {
    const text = renderTerminal(trendDocument(trend), false);
    for (const shown of [page, text.replace(/\s+/g, ' ')]) expect(shown.split(trendCaveat)).toHaveLength(2);
    expect(text).toContain('run 3: config: <script>x</script>, not redis');
    expect(rowsOf(page, 'left-out').at(-1)).toEqual(['run 3', 'config: <script>x</script>, not redis']);
    expect(markupOf(page).match(/<script>/g)).toHaveLength(1);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });
});
