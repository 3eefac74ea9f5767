import { describe, expect, test } from 'vitest';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import type { Result, RoundResult } from '../../../../src/aggregate/result.ts';
import { timeSplit } from '../../../../src/aggregate/stats/summary.ts';
import { inMarkdown, onTerminal } from '../../../support/documents.ts';
import { buildLatency, buildResult, buildRound, buildScenario } from '../../../support/result-builder.ts';

const renderings = (result: Result) =>
  [onTerminal.result(result), inMarkdown.result(result), renderReportPage(result)].map(text =>
    text.replaceAll(/\s+/g, ' '),
  );

function runOf(rounds: readonly RoundResult[], environment: Partial<Result['environment']> = {}): Result {
  const result = buildResult([buildScenario({}, rounds)]);
  return { ...result, environment: { ...result.environment, ...environment } };
}

/** Rounds whose quota stopped poolbench in so many of 10 periods. */
const throttled = (periods: readonly number[]) =>
  periods.map((throttledPeriods, index) => {
    const round = buildRound(index + 1, 1000);
    const throttling = { periods: 10, throttledPeriods, throttledMs: 5 * throttledPeriods };
    return { ...round, cpu: { ...round.cpu, throttling } };
  });

describe('CPU quota in a report', () => {
  test('every rendering warns of a quota that stopped poolbench, and it is the limit', () => {
    const result = runOf(throttled([7, 8, 9]), { quotaCores: 0.3 });
    expect(result.scenarios[0]?.limitedBy.resource).toBe('machine');
    for (const text of renderings(result)) expect(text).toMatch(/quota of 0\.3 cores .{0,40}80 %/i);
  });

  test('there is no warning of a quota that is seldom reached, or of none', () => {
    for (const rounds of [throttled([0, 0, 9]), [buildRound(1, 1000)]])
      for (const text of renderings(runOf(rounds))) expect(text).not.toMatch(/quota/i);
  });
});

describe('environment in a report', () => {
  const told = { cpus: 4, affinity: '0-1', quotaCores: 'none', governor: 'powersave', smt: true } as const;

  test('has what explains the figures of a machine, and names what it did not tell', () => {
    const text = inMarkdown.result(runOf([buildRound(1, 1000)], { ...told, virtualisation: null }));
    expect(text).toMatch(/CPUs 0-1 of 4; no quota; governor powersave; SMT on; not known: virtualisation/);
  });

  test('has nothing of it if the result is of an earlier version', () => {
    expect(inMarkdown.result(runOf([buildRound(1, 1000)]))).not.toMatch(/not known|governor/);
  });
});

describe('where the time goes', () => {
  const round = (serverMicrosPerCall: number | null, changes: Partial<RoundResult> = {}) =>
    buildRound(1, 1000, {
      service: { ...buildLatency(1000, 1), mean: 2 },
      response: { ...buildLatency(1000, 1), mean: 5 },
      serverMicrosPerCall,
      ...changes,
    });

  test('the parts of a batch are of the client, between the two, and of the server', () => {
    expect(timeSplit(buildScenario({ pipeline: 10 }, [round(50)]))).toEqual({
      responseMs: 5,
      clientMs: 3,
      betweenMs: 1.5,
      serverMs: 0.5,
    });
  });

  test.each([
    ['does not tell its time', round(null)],
    ['answered nothing', round(50, { service: buildLatency(0, 0), response: buildLatency(0, 0) })],
  ])('there is no split where the server %s', (_, measured) => {
    expect(timeSplit(buildScenario({}, [measured]))).toBeNull();
  });

  test('a cluster may run the parts of a batch at the same time, so only single commands are split', () => {
    const inCluster = round(50, { redirects: { moved: 0, ask: 0 } });
    expect(timeSplit(buildScenario({ pipeline: 10 }, [inCluster]))).toBeNull();
    expect(timeSplit(buildScenario({ pipeline: 1 }, [inCluster]))?.serverMs).toBeCloseTo(0.05);
  });

  test('a report has it if the server told its time', () => {
    const heading = 'Where the time goes';
    expect(inMarkdown.result(runOf([round(50)]))).toContain(heading);
    expect(renderReportPage(runOf([round(50)]))).toContain(heading);
    expect(inMarkdown.result(runOf([round(null)]))).not.toContain(heading);
  });
});
