import { expect, test } from 'vitest';
import { judgeVersusClaims } from '../src/aggregate/claims/claims.ts';
import type { ClaimResult, Result } from '../src/aggregate/result.ts';
import type { Scenario } from '../src/main/experiment/scenarios.ts';
import { type ArmFigures, claimsOfOneServer, find, judge, measureSuite } from './support/claim-arms.ts';
import { buildResult, buildRound } from './support/result-builder.ts';

/** A difference between any two arms that no one could miss: the later of them has four times the throughput. */
function farApart(): (scenario: Scenario) => ArmFigures {
  const ids: string[] = [];
  return ({ id }) => {
    if (!ids.includes(id)) ids.push(id);
    const speed = 4 ** ids.indexOf(id);
    return {
      speed,
      slowness: 1 / speed,
      // Cold, short of operations and longer than any health check is good for, as claims want their windows.
      poolMetrics: { createdBefore: 0, ...(id.includes('warmed') ? { created: 0 } : {}) },
      round: { seconds: 2.5, completed: 2000 },
    };
  };
}

async function verdictOn({ id, suite }: { id: string; suite: string }, rounds: number): Promise<ClaimResult> {
  return judge(id, await measureSuite(suite, farApart(), rounds));
}

const fewRounds = [1, 2, 3, 4];

test.each(claimsOfOneServer)(
  '$id is not decided by fewer than 5 rounds, however far apart its arms are',
  async claim => {
    for (const rounds of fewRounds) {
      expect(['inconclusive', 'not tested']).toContain((await verdictOn(claim, rounds)).verdict);
    }
  },
);

test('with 5 rounds the same figures decide most of the claims', async () => {
  const judged = await Promise.all(claimsOfOneServer.map(claim => verdictOn(claim, 5)));
  const decided = judged.filter(({ verdict }) => verdict === 'supported' || verdict === 'refuted');
  expect(decided.length).toBeGreaterThan(judged.length / 2);
});

async function side(server: string, speed: number, rounds: number): Promise<Result> {
  // The servers are the limit, or the verdict would not be about them.
  const { cpu: busy } = buildRound(0, 1);
  const cpu = { ...busy, eventLoopUtilization: [0.6], serverCores: 1, serverMainThreadCores: 0.98 };
  const scenarios = await measureSuite(
    'versus',
    () => ({ speed, slowness: 1 / speed, round: { cpu } }),
    rounds,
  );
  const { target } = buildResult([]);
  const found = {
    ...target,
    declared: { ...target.declared, server },
    detected: { ...target.detected, server },
  };
  return buildResult(scenarios, { target: found, session: 'one', claims: [] });
}

test.each([
  ['C9', 'valkey'],
  ['C10', 'dragonfly'],
])('neither is %s, of %s and Redis', async (id, server) => {
  const verdict = async (rounds: number) => {
    const sides = [await side('redis', 1, rounds), await side(server, 4, rounds)];
    return find(id, judgeVersusClaims(sides)).verdict;
  };
  for (const rounds of fewRounds) expect(['inconclusive', 'not tested']).toContain(await verdict(rounds));
  expect(['supported', 'refuted']).toContain(await verdict(5));
});
