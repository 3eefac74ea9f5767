import { expect, test } from 'vitest';
import { derivedFiles } from '../src/aggregate/report/files/result-files.ts';
import type { Result } from '../src/aggregate/result.ts';
import { parseCsv } from './support/parse-csv.ts';
import { buildResult, buildRound, buildScenario, standInTarget } from './support/result-builder.ts';

/** The files of what this target was measured for, by their ending; of the tables, that of the scenarios. */
function textsOf(target: Result['target']): Record<string, string> {
  const result = buildResult([buildScenario({}, [buildRound(1, 1000)])], {
    target,
    thresholds: [{ metric: 'opsPerSecond', condition: '> 1', scenario: null, value: 1000, crossed: false }],
  });
  const files = derivedFiles(result).filter(({ path }) => path !== 'series.csv');
  return Object.fromEntries(files.map(({ path, render }) => [path.replace(/.*\./, '.'), render()]));
}

const loud = textsOf({ ...standInTarget, unverified: true });
const quiet = textsOf({ ...buildResult([]).target, unverified: false });

test.each(['.hlog', '.hgrm', '.xml', '.html'])(
  '%s shouts a stand-in and a certificate that was not checked',
  ending => {
    for (const word of ['STAND-IN: ', 'NOT VERIFIED: ']) {
      expect(loud[ending]).toContain(word);
      expect(quiet[ending]).not.toContain(word);
    }
  },
);

test.each(['.hlog', '.hgrm'])('%s does so in comments, before any figure', ending => {
  const lines = loud[ending]?.split('\n') ?? [];
  const at = lines.findIndex(line => line.includes('NOT VERIFIED'));
  expect(at).toBeGreaterThan(0);
  expect(lines.slice(0, at + 1).every(line => line.startsWith('#['))).toBe(true);
});

test('scenarios.csv has what answered in every line', () => {
  const { target } = buildResult([]);
  for (const [texts, unverified, standIn] of [
    [loud, 'true', 'true'],
    [quiet, 'false', 'false'],
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
