import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { renderJunit } from '../../../../src/aggregate/report/files/junit.ts';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import type { Result, ThresholdResult } from '../../../../src/aggregate/result.ts';
import { buildResult, buildRound, buildScenario, standInTarget } from '../../../support/result-builder.ts';

describe('junit.xml', () => {
  /** Halves of surrogate pairs, too. fast-check's own "binary" takes seconds to begin. */
  const anyCharacter = fc.integer({ min: 0, max: 0x10ffff }).map(code => String.fromCodePoint(code));

  interface Element {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly children: Element[];
    text: string;
  }

  /** Its root; a strict parser that throws on whatever is not well-formed XML 1.0. */
  function parseXml(xml: string): Element {
    const top: Element = { name: '', attributes: {}, children: [], text: '' };
    const open = [top];
    const parser = new SaxesParser();
    parser.on('error', error => {
      throw error;
    });
    parser.on('opentag', ({ name, attributes }) => {
      const element: Element = { name, attributes, children: [], text: '' };
      open.at(-1)?.children.push(element);
      open.push(element);
    });
    parser.on('text', text => {
      const element = open.at(-1);
      if (element !== undefined) element.text += text;
    });
    parser.on('closetag', () => open.pop());
    parser.write(xml).close();
    const [root] = top.children;
    if (root === undefined) throw new Error('no root');
    return root;
  }

  const scenario = buildScenario({ id: 'one' }, [buildRound(1, 1000)]);

  function build(thresholds: readonly ThresholdResult[], changes: Partial<Result> = {}): Result {
    const config = {
      thresholds: Object.fromEntries(thresholds.map(({ metric, condition }) => [metric, condition])),
    };
    return buildResult([scenario], { name: 'run', config, thresholds: [...thresholds], ...changes });
  }

  const met = { metric: 'opsPerSecond', condition: '> 1', scenario: 'one', value: 1000, crossed: false };
  const crossed = { metric: 'response.p99', condition: '< 5ms', scenario: 'one', value: 25, crossed: true };
  const unmeasured = { ...crossed, metric: 'service.p99', value: null };
  const ofClaim = {
    metric: 'claim.C1',
    condition: 'supported',
    scenario: null,
    value: 'refuted',
    crossed: true,
  };

  /** The suite of a result's junit.xml, and its test cases. */
  function readSuite(result: Result): { suite: Element; cases: Element[] } {
    const root = parseXml(renderJunit(result) ?? '');
    expect(root.name).toBe('testsuites');
    const [suite] = root.children;
    if (suite === undefined) throw new Error('no suite');
    return { suite, cases: suite.children.filter(({ name }) => name === 'testcase') };
  }

  test('met, crossed, not measured: a test case each, counted', () => {
    const { suite, cases } = readSuite(build([met, crossed, unmeasured, ofClaim]));
    expect(suite).toMatchObject({
      name: 'testsuite',
      attributes: {
        name: 'run',
        tests: '4',
        failures: '2',
        errors: '1',
        time: '180',
        timestamp: '2026-11-23T10:00:00',
      },
    });
    expect(cases.map(({ attributes }) => `${attributes.classname} | ${attributes.name}`)).toEqual([
      'run.one | opsPerSecond > 1',
      'run.one | response.p99 < 5ms',
      'run.one | service.p99 < 5ms',
      'run | claim.C1 supported',
    ]);
    expect(cases.map(({ attributes }) => attributes.time)).toEqual(['1', '1', '1', '1']);
    const message = 'response.p99 < 5ms: 25.0 ms in one';
    expect(cases.map(({ children }) => children)).toEqual([
      [],
      [{ name: 'failure', attributes: { type: 'crossed', message }, children: [], text: message }],
      [
        expect.objectContaining({
          name: 'error',
          attributes: { type: 'not measured', message: expect.stringMatching(/^service\.p99 < 5ms: /) },
        }),
      ],
      [expect.objectContaining({ name: 'failure', text: 'claim.C1 supported: refuted' })],
    ]);
  });

  test('a value within its limit has the reason why it counts as crossed', () => {
    const good = { ...crossed, value: 2 };
    const [lower] = readSuite(build([good])).cases;
    expect(lower?.children[0]?.text).toMatch(/^response\.p99 < 5ms: 2\.00 ms in one\. .*lower bound/);
    const [standIn] = readSuite(build([good], { target: standInTarget })).cases;
    expect(standIn?.children[0]?.text).toMatch(/in one\. STAND-IN: .* stood in for dragonfly\.$/);
  });

  test('a run that ended early has an error for each of them', () => {
    const { suite, cases } = readSuite({ ...build([crossed, met]), complete: false, thresholds: [] });
    expect(suite.attributes).toMatchObject({ tests: '2', failures: '0', errors: '2' });
    for (const { children } of cases)
      expect(children[0]).toMatchObject({ name: 'error', attributes: { type: 'not judged' } });
    expect(cases[0]?.attributes.name).toBe('response.p99 < 5ms');
  });

  test('without thresholds there is no file', () => {
    expect(renderJunit(buildResult([scenario]))).toBeNull();
  });

  test('any text is well-formed XML, and comes back but for what XML does not allow', () => {
    const nasty = fc.string({ unit: fc.constantFrom(...'<>&"\'\t\n\r]-/!a\u0000\u001b\ud800\uffff😀') });
    const result = build([crossed]);
    fc.assert(
      fc.property(fc.oneof(nasty, fc.string({ unit: anyCharacter })), text => {
        const threshold = { ...crossed, metric: text, condition: text, scenario: text };
        const { suite, cases } = readSuite({
          ...result,
          name: text,
          startedAt: text,
          thresholds: [threshold],
        });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        const allowed = text.replace(/[\0-\x08\v\f\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu, '');
        expect(suite.attributes.name).toBe(allowed);
        expect(cases[0]?.attributes).toMatchObject({
          name: `${allowed} ${allowed}`,
          classname: `${allowed}.${allowed}`,
        });
      }),
    );
  });
});

describe('the gap before a run was resumed is no part of its duration', () => {
  /** A minute was measured, a day and a night passed, and another minute was. */
  const result = buildResult([buildScenario({}, [buildRound(1, 1000)])], {
    startedAt: '2026-11-23T10:00:00.000Z',
    finishedAt: '2026-11-24T10:02:00.000Z',
    resumed: [{ at: '2026-11-24T10:01:00.000Z', afterRounds: 1, gapSeconds: 86_400 }],
    thresholds: [{ metric: 'opsPerSecond', condition: '> 1', scenario: null, value: 1000, crossed: false }],
  });

  test('junit.xml', () => {
    expect(renderJunit(result)).toContain(
      '<testsuite name="redis" tests="1" failures="0" errors="0" time="120"',
    );
  });

  test('report.html', () => {
    expect(renderReportPage(result)).toContain('2026-11-23 10:00:00 UTC, 2 min');
  });
});
