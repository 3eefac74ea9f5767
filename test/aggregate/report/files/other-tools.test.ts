import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { describe, expect, onTestFinished, test } from 'vitest';
import { renderHgrm, renderHlog } from '../../../../src/aggregate/report/files/histograms.ts';
import { memtierDocument } from '../../../../src/aggregate/report/files/memtier.ts';
import { derivedFiles } from '../../../../src/aggregate/report/files/result-files.ts';
import type { Result, ScenarioResult } from '../../../../src/aggregate/result.ts';
import { mergeLatencies } from '../../../../src/aggregate/stats/histogram.ts';
import { report } from '../../../../src/main/cli/report.ts';
import { writeFiles } from '../../../../src/main/run/results/results-folder.ts';
import { createHistogram, encodeHistogram } from '../../../support/library-histogram.ts';
import { parseCsv } from '../../../support/parse-csv.ts';
import { buildResult, buildRound, buildScenario, standInTarget } from '../../../support/result-builder.ts';

describe('files for other tools', () => {
  async function makeFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  /** What is in the folder of a result of these scenarios. */
  async function write(scenarios: readonly ScenarioResult[]): Promise<{ folder: string; names: string[] }> {
    const folder = await makeFolder();
    await writeFiles(folder, derivedFiles(buildResult(scenarios)));
    return { folder, names: (await readdir(folder)).toSorted() };
  }

  test('of nothing but failures, of no round, of no scenario: tables and no distribution', async () => {
    const failed = buildScenario({ id: 'failed' }, [buildRound(1, 0, { issued: 10, failed: { OOM: 10 } })]);
    for (const scenarios of [[failed], [buildScenario({}, [])], []])
      expect((await write(scenarios)).names).toEqual([
        'histograms.hlog',
        'report.html',
        'report.md',
        'scenarios.csv',
        'series.csv',
      ]);
  });

  test('ids from anywhere name files in the folder, and no two the same', async () => {
    const ids = ['../../x', '..\\..\\x', '/x\u0000y,z', '', 'A', 'a', 'a', 'x'.repeat(300)];
    const { folder, names } = await write(ids.map(id => buildScenario({ id }, [buildRound(1, 1000)])));
    expect(names).toHaveLength(6);
    const files = await readdir(join(folder, 'histograms'));
    expect(files).toHaveLength(2 * ids.length);
    expect(new Set(files.map(name => name.toLowerCase())).size).toBe(files.length);
    for (const name of files) expect(name).toMatch(/^[\w.+-]+\.(response|service)\.hgrm$/);
  });

  test.each([
    ['nothing of ours', 'bm8='],
    ['cut off', 'HISTFAAAAwJ4nDVT'],
    ['a line of its own', 'HIST\nTag=a,0,0,0,HIST'],
  ])('what is no histogram (%s) is refused with one message', async (_, text) => {
    const histograms = { service: text, response: text };
    const result = buildResult([buildScenario({}, [buildRound(1, 1000, { histograms })])]);
    const refused = {
      code: 'RESULT_INVALID',
      message: expect.stringMatching(/result\.json: expected [^\n]* found at histogram service of [^\n]*$/),
    };
    const folder = await makeFolder();
    await writeFile(join(folder, 'result.json'), JSON.stringify(result));
    await expect(report(folder, {})).rejects.toMatchObject(refused);
    await expect(report(folder, { as: 'memtier' })).rejects.toMatchObject(refused);
    expect(await readdir(folder)).toEqual(['result.json']);
  });

  /** Two rounds of two scenarios, as lines of a log without what they recorded. */
  function logOf(startOf: (scenario: number, round: number) => string | null): string[] {
    const histograms = { service: 'AAAA', response: 'AAAA' };
    const scenarios = [0, 1].map(scenario =>
      buildScenario(
        { id: `s ${scenario}` },
        [1, 2].map(round =>
          buildRound(round, 1000, { histograms, startedAt: startOf(scenario, round), seconds: 0.5 }),
        ),
      ),
    );
    return renderHlog(buildResult(scenarios, { startedAt: '2026-11-23T10:00:00.000Z' })).split('\n');
  }

  test('a log has its intervals in the order in which they began', () => {
    const lines = logOf((scenario, round) => `2026-11-23T10:00:0${2 * round - scenario}.250Z`);
    expect(lines.slice(1, 4)).toEqual([
      '#[Histogram log format version 1.3]',
      '#[BaseTime: 1795428000.000 (seconds since epoch)]',
      '#[StartTime: 1795428000.000 (seconds since epoch), Mon Nov 23 10:00:00 UTC 2026]',
    ]);
    expect(lines.filter(line => line.includes('.response'))).toEqual([
      'Tag=s_1.response,1.250,0.500,200.000,AAAA',
      'Tag=s_0.response,2.250,0.500,200.000,AAAA',
      'Tag=s_1.response,3.250,0.500,200.000,AAAA',
      'Tag=s_0.response,4.250,0.500,200.000,AAAA',
    ]);
  });

  test('without start times they are laid end to end, with a note', () => {
    const lines = logOf(scenario => (scenario === 0 ? '2026-11-23T10:00:09.000Z' : null));
    expect(lines[1]).toMatch(/^#\[.* end to end: /);
    expect(lines.filter(line => line.includes('.service')).map(line => line.split(',').slice(0, 2))).toEqual([
      ['Tag=s_0.service', '0.000'],
      ['Tag=s_1.service', '0.500'],
      ['Tag=s_0.service', '1.000'],
      ['Tag=s_1.service', '1.500'],
    ]);
  });

  test('--as takes memtier, and the id of a scenario', async () => {
    const folder = await makeFolder();
    const scenarios = ['wire-a', 'wire-b'].map(id => buildScenario({ id }, [buildRound(1, 1000)]));
    await writeFile(join(folder, 'result.json'), JSON.stringify(buildResult(scenarios)));
    for (const [flags, message] of [
      [{ as: 'wrk' }, 'expected --as memtier, found --as wrk'],
      [{ scenario: 'wire-a' }, 'expected --scenario with --as memtier only'],
      [{ as: 'memtier' }, 'expected --scenario with one of:\n  wire-a\n  wire-b'],
      [{ as: 'memtier', scenario: 'wirea' }, 'found wirea (did you mean wire-a?)'],
      [{ as: 'memtier', scenario: 'none of it' }, 'found none of it; it has wire-a, wire-b'],
    ] as const) {
      const error = { code: 'USAGE', message: expect.stringContaining(message) };
      await expect(report(folder, flags)).rejects.toMatchObject(error);
    }
    expect(await readdir(folder)).toEqual(['result.json']);
  });

  test('in the shape of memtier, what was not measured is there, and null', () => {
    const scenario = buildScenario({ id: 'plain' }, [buildRound(1, 1000)]);
    const nothing = { Count: null, 'Ops/sec': null, Latency: null };
    expect(memtierDocument(buildResult([scenario]), scenario)).toMatchObject({
      'ALL STATS': { Totals: { Count: 1000, 'Ops/sec': 1000, 'KB/sec': null }, Gets: nothing, Sets: nothing },
      poolbench: { scenario: 'plain' },
    });
  });
});

describe('percentile distributions', () => {
  function encode(nanoseconds: readonly number[]): string {
    const histogram = createHistogram(3);
    for (const value of nanoseconds) histogram.recordValue(value);
    const encoded = encodeHistogram(histogram);
    histogram.destroy();
    return encoded;
  }

  /** From a nanosecond to a minute, all magnitudes alike. */
  const latency = fc
    .double({ min: 0, max: Math.log(60e9), noNaN: true })
    .map(power => Math.round(Math.exp(power)));

  test('line by line what hdr-histogram-js writes of the merged histogram in JavaScript', () => {
    fc.assert(
      fc.property(fc.array(fc.array(latency, { maxLength: 60 }), { minLength: 1, maxLength: 3 }), rounds => {
        fc.pre(rounds.some(values => values.length > 0));
        const encoded = rounds.map(encode);
        const merged = decodeFromCompressedBase64(mergeLatencies(encoded).encoded, 64, false);
        expect(renderHgrm(encoded)).toBe(merged.outputPercentileDistribution(5, 1e6));
      }),
      { numRuns: 60 },
    );
  });

  test('a long tail, with its zeros behind the point', () => {
    const values = Array.from(
      { length: 5000 },
      (_, index) => 31_000 + index * 7 + (index % 1000 === 0 ? 3e7 : 0),
    );
    const text = renderHgrm([encode(values)]);
    const merged = decodeFromCompressedBase64(encode(values), 64, false);
    expect(text).toBe(merged.outputPercentileDistribution(5, 1e6));
    expect(text).toMatch(/^ {7}0\.031 0\.000000000000 {10}1 {11}1\.00$/m);
  });

  test('nothing recorded is a distribution without a line', () => {
    expect(
      renderHgrm([encode([])])
        .split('\n')
        .slice(2, 4),
    ).toEqual([
      '#[Mean    =        0.000, StdDeviation   =        0.000]',
      '#[Max     =        0.000, Total count    =            0]',
    ]);
  });
});

describe('a stand-in and a certificate that was not checked', () => {
  /** The files of what this target was measured for, by their ending; of the tables, that of the scenarios. */
  function textsOf(target: Result['target']): Record<string, string> {
    const result = buildResult([buildScenario({}, [buildRound(1, 1000)])], {
      target,
      thresholds: [{ metric: 'opsPerSecond', condition: '> 1', scenario: null, value: 1000, crossed: false }],
    });
    const files = derivedFiles(result).filter(({ path }) => path !== 'series.csv');
    return Object.fromEntries(files.map(({ path, render }) => [path.replace(/.*\./, '.'), render()]));
  }

  const warned = textsOf({ ...standInTarget, unverified: true });
  const plain = textsOf({ ...buildResult([]).target, unverified: false });

  test.each(['.hlog', '.hgrm', '.xml', '.html'])('%s notes both', ending => {
    for (const word of ['STAND-IN: ', 'NOT VERIFIED: ']) {
      expect(warned[ending]).toContain(word);
      expect(plain[ending]).not.toContain(word);
    }
  });

  test.each(['.hlog', '.hgrm'])('%s does so in comments, before any figure', ending => {
    const lines = warned[ending]?.split('\n') ?? [];
    const at = lines.findIndex(line => line.includes('NOT VERIFIED'));
    expect(at).toBeGreaterThan(0);
    expect(lines.slice(0, at + 1).every(line => line.startsWith('#['))).toBe(true);
  });

  test('scenarios.csv has what answered in every line', () => {
    const { target } = buildResult([]);
    for (const [texts, unverified, standIn] of [
      [warned, 'true', 'true'],
      [plain, 'false', 'false'],
      // A result before version 0.3 does not tell.
      [textsOf(target), '', 'false'],
    ] as const) {
      const [names = [], ...rows] = parseCsv(texts['.csv'] ?? '');
      expect(rows).toHaveLength(1);
      for (const [name, value] of Object.entries({
        server: 'redis',
        serverVersion: '7.0.15',
        standIn,
        unverified,
      }))
        expect(rows[0]?.[names.indexOf(name)], name).toBe(value);
    }
  });
});
