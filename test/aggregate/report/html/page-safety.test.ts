import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareResults } from '../../../../src/aggregate/comparison/compare-results.ts';
import { renderComparisonPage } from '../../../../src/aggregate/report/html/comparison-page.ts';
import { html } from '../../../../src/aggregate/report/html/markup.ts';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import type { Result } from '../../../../src/aggregate/result.ts';
import { toPlainLines } from '../../../../src/aggregate/text/format.ts';
import { anyText } from '../../../support/any-text.ts';
import { buildFullResult } from '../../../support/full-result.ts';
import { hostileText, markupOf, tipsOf, unescapeHtml } from '../../../support/page-text.ts';
import { buildResult, buildRound, buildScenario } from '../../../support/result-builder.ts';

describe('text from outside', () => {
  /** A result that has this text wherever others write. */
  function resultSaying(text: string): Result {
    const command = { name: text, completed: 5, failed: { [text]: 2 }, misses: 0 };
    const round = buildRound(1, 10);
    const rounds = [1, 2].map(number =>
      buildRound(number, 10, {
        failed: { [text]: 1 },
        commands: [
          { ...command, service: round.service, response: round.response },
          { ...command, name: `${text}2`, service: round.service, response: round.response },
        ],
      }),
    );
    const scenarios = [1, 2].map(pools => ({
      ...buildScenario({ id: `${text}${pools}`, client: text, pool: text, probe: text, pools }, rounds),
      limitedBy: { resource: 'client' as const, evidence: text },
    }));
    const open = buildScenario(
      { id: `${text}-open`, client: text, arrival: { kind: text, rate: 100, size: 3 } },
      rounds,
    );
    const result = buildResult([...scenarios, open], {
      name: text,
      warnings: [text],
      config: {
        name: text,
        [text]: [text],
        target: { tls: { rejectUnauthorized: false } },
        warmupSeconds: 1,
      },
      thresholds: [{ metric: text, condition: text, scenario: text, value: text, crossed: true }],
      claims: buildResult(scenarios).claims.map(claim => ({
        ...claim,
        ...{ id: text, statement: text, predicted: text, reason: text, gist: text, unit: text },
      })),
    });
    const target = result.target;
    return {
      ...result,
      startedAt: text,
      tool: { name: text, version: text },
      environment: { ...result.environment, node: text, os: text, cpu: text },
      target: {
        ...target,
        declared: { server: text, url: text },
        detected: { ...target.detected, server: text, version: text },
        foundBy: text,
        standIn: true,
      },
    };
  }

  test('a template escapes what it is given, for text and for attributes', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, anyText()), text => {
        const [, attribute = '', content = ''] =
          /^<p title="([^"]*)">([^<]*)<\/p>$/.exec(String(html`<p title="${text}">${text}</p>`)) ?? [];
        expect(attribute).toBe(content);
        expect(unescapeHtml(content)).toBe(toPlainLines(text));
      }),
    );
  });

  test('a template takes markup and lists of it as they are, and leaves nothing of what is not there', () => {
    expect(String(html`<ul>${['<a>', html`<li>${1}</li>`]}${null}${false}</ul>`)).toBe(
      '<ul>&lt;a&gt;<li>1</li></ul>',
    );
  });

  test('no text from outside changes the markup of a report, whatever it says', () => {
    const harmless = markupOf(renderReportPage(resultSaying('x')));
    fc.assert(
      fc.property(hostileText, text => {
        expect(markupOf(renderReportPage(resultSaying(text)))).toBe(harmless);
      }),
      { numRuns: 12 },
    );
  });

  test('nor that of a comparison', () => {
    const page = (text: string) =>
      renderComparisonPage(compareResults([resultSaying(text), resultSaying(text)]));
    const harmless = markupOf(page('x'));
    fc.assert(
      fc.property(hostileText, text => {
        expect(markupOf(page(text))).toBe(harmless);
      }),
      { numRuns: 6 },
    );
  });
});

describe('the size of a page', () => {
  const megabyte = 1_000_000;
  /** To judge claims on so many scenarios takes seconds; these have as many ratios as a page shows. */
  const { claims } = buildFullResult({ workers: [10, 50, 100, 200], pools: [1, 2, 4, 8] });

  test('50 scenarios of 20 rounds are a page below a megabyte, with all of their rounds', () => {
    const result = buildFullResult(
      { workers: [1, 10, 50, 100, 200], pools: [1, 2, 3, 4, 8], rounds: 20 },
      { claims },
    );
    expect(result.scenarios).toHaveLength(50);
    const page = renderReportPage(result);
    expect(Buffer.byteLength(page)).toBeLessThan(megabyte);
    expect(tipsOf(page).filter(([head]) => head?.startsWith('round '))).toHaveLength(50 * 20);
  });

  test('so is one of long windows, whose seconds are put together, and one of 104 scenarios', () => {
    const long = renderReportPage(buildFullResult({ workers: [10, 50], rounds: 5, seconds: 300 }));
    expect(Buffer.byteLength(long)).toBeLessThan(megabyte);
    expect(long).toMatch(/up to \d+ seconds/);
    const workers = Array.from({ length: 13 }, (_, index) => index + 1);
    const wide = renderReportPage(buildFullResult({ workers, pools: [1, 2, 3, 4], rounds: 2 }, { claims }));
    expect(Buffer.byteLength(wide)).toBeLessThan(megabyte);
    expect(wide).toContain('50 of 104 scenarios');
  });
});
