import { describe, expect, test } from 'vitest';
import { estimateSeconds, planRun } from '../src/main/experiment/plan.ts';
import { readConfig } from '../src/main/experiment/read-config.ts';
import { claimsOfOneServer, judge, measureSuite } from './support/claim-arms.ts';
import { standInTarget } from './support/result-builder.ts';

/** The longest a suite may take: one claim must be worth a short wait. */
const mostSeconds = 300;

describe.each(claimsOfOneServer.map(({ id, suite }) => ({ id, suite })))(
  '$id, suite $suite',
  ({ id, suite }) => {
    test('has figures for the claim', async () => {
      const claim = judge(id, await measureSuite(suite, () => ({})));
      expect(claim.verdict).not.toBe('not tested');
      expect(claim.comparisons.length + (claim.measured === null ? 0 : 1)).toBeGreaterThan(0);
    });

    test('is inconclusive with four rounds', async () => {
      expect(judge(id, await measureSuite(suite, () => ({}), 4)).verdict).toBe('inconclusive');
    });

    test('is not tested by a stand-in', async () => {
      const claim = judge(id, await measureSuite(suite, () => ({})), { target: standInTarget });
      expect(claim.verdict).toBe('not tested');
      expect(claim.reason).toMatch(/stood in for it/);
    });

    test('is not tested by a run without its arms, which says where they are', () => {
      const claim = judge(id, []);
      expect(claim.verdict).toBe('not tested');
      expect(claim.reason).toContain(`configs/claims/${suite}.json`);
    });

    test('survives a run that was interrupted before its first round', async () => {
      const claim = judge(id, await measureSuite(suite, () => ({}), 0));
      expect(claim.verdict).toBe('inconclusive');
      expect(claim.reason).not.toContain('NaN');
    });
  },
);

test.each([...new Set([...claimsOfOneServer.map(({ suite }) => suite), 'versus'])])(
  '%s.json is valid, takes any server, is named after itself, and is short',
  async suite => {
    const path = `configs/claims/${suite}.json`;
    const experiment = await readConfig(path);
    expect(experiment.$schema).toBe('../schema.json');
    expect(experiment).toMatchObject({ name: suite, target: { server: 'any' } });
    expect(estimateSeconds(planRun([experiment]))).toBeLessThanOrEqual(mostSeconds);
  },
);
