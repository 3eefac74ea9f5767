import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  renderCsv,
  renderScenariosCsv,
  renderSeriesCsv,
} from '../../../../src/aggregate/report/files/csv.ts';
import type { Column } from '../../../../src/aggregate/scenario/dimension.ts';
import { parseCsv } from '../../../support/parse-csv.ts';
import { buildResult, buildRound, buildScenario } from '../../../support/result-builder.ts';

/** Halves of surrogate pairs, too. fast-check's own "binary" takes seconds to begin. */
const anyCharacter = fc.integer({ min: 0, max: 0x10ffff }).map(code => String.fromCodePoint(code));

const columns: readonly Column<string>[] = [
  { name: 'first', value: text => text },
  { name: 'a number', value: () => -1.5e-7 },
  { name: 'last', value: text => text },
];

test('any text comes back, but with an apostrophe before what a spreadsheet would run', () => {
  const nasty = fc.string({ unit: fc.constantFrom(...'",\r\n\t=+-@\'; a1＝é') });
  const texts = fc.array(fc.oneof(nasty, fc.string({ unit: anyCharacter })), { maxLength: 4 });
  fc.assert(
    fc.property(texts, texts => {
      const [names, ...rows] = parseCsv(renderCsv(texts, columns));
      expect(names).toEqual(['first', 'a number', 'last']);
      const fields = texts.map(text => (/^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text));
      expect(rows).toEqual(fields.map(field => [field, '-1.5e-7', field]));
    }),
  );
});

test('a hostile id stays one field in both tables', () => {
  const id = '=HYPERLINK("http://a","b"),\r\n"';
  const scenario = buildScenario({ id, client: '@SUM(1)' }, [buildRound(1, 1000)]);
  for (const render of [renderScenariosCsv, renderSeriesCsv]) {
    const rows = parseCsv(render(buildResult([scenario])));
    expect(rows).toHaveLength(2);
    expect(rows[1]?.[0]).toBe(`'${id}`);
    expect(rows[1]).toHaveLength(rows[0]?.length ?? 0);
  }
  expect(parseCsv(renderScenariosCsv(buildResult([scenario])))[1]?.[1]).toBe("'@SUM(1)");
});

test('what was not measured is an empty field', () => {
  const scenarios = [buildScenario({ id: 'none' }, []), buildScenario({ id: 'failed' }, [buildRound(1, 0)])];
  const [names = [], ...rows] = parseCsv(renderScenariosCsv(buildResult(scenarios)));
  const field = (row: number, name: string) => rows[row]?.[names.indexOf(name)];
  expect([field(0, 'rounds'), field(0, 'opsPerSecond'), field(0, 'responseP99Ms')]).toEqual(['0', '', '']);
  expect([field(1, 'rounds'), field(1, 'opsPerSecond'), field(1, 'responseP99Ms')]).toEqual(['1', '0', '']);
});
