import { describe, expect, test } from 'vitest';
import { judgeVersusClaims } from '../../../src/aggregate/claims/claims.ts';
import type { Prediction } from '../../../src/aggregate/claims/judging/prediction.ts';
import { describePower } from '../../../src/aggregate/claims/judging/reason.ts';
import { dragonfly, valkeyGains } from '../../../src/aggregate/claims/two-servers.ts';
import type { Result } from '../../../src/aggregate/result.ts';
import { withoutControls } from '../../../src/aggregate/stats/control.ts';
import { RoundSeries } from '../../../src/aggregate/stats/round-series.ts';
import { fixedRounds } from '../../../src/aggregate/stats/sign-test.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, find, judge, measureSuite } from '../../support/claim-arms.ts';
import { buildRound, buildUnread, standInTarget } from '../../support/result-builder.ts';

const busyClient = buildRound(0, 1).cpu;
const busyServer = {
  ...busyClient,
  eventLoopUtilization: [0.6],
  serverCores: 1,
  serverMainThreadCores: 0.98,
};

type Server = 'redis' | 'valkey' | 'dragonfly';

interface SideOptions {
  readonly rounds?: number;
  readonly session?: string;
  readonly threads?: number;
  /** Where it is the server that has no time left. */
  readonly isLimit?: (scenario: Scenario) => boolean;
}

/** Batches over the leanest client get a server to its limit, ioredis is its own. */
const withBatches = ({ client }: Scenario) => client === 'wire';
const never = () => false;

async function side(
  server: Server,
  figures: (scenario: Scenario, round: number) => ArmFigures = () => ({}),
  { rounds = 6, session = 'one', threads = 2, isLimit = withBatches }: SideOptions = {},
): Promise<Result> {
  const target: Result['target'] = {
    declared: { server, url: 'redis://localhost:6379/0' },
    detected: { server, version: '8.0.0', threads },
    foundBy: 'running at redis://localhost:6379/0',
    standIn: false,
    local: true,
  };
  const scenarios = await measureSuite(
    'versus',
    (scenario, round) => {
      const told = figures(scenario, round);
      const cpu = isLimit(scenario) ? busyServer : busyClient;
      return { ...told, round: { cpu, ...told.round } };
    },
    rounds,
  );
  return buildUnread(scenarios, { target, session });
}

const c9 = (results: readonly Result[]) => find('C9', judgeVersusClaims(results));
const c10 = (results: readonly Result[]) => find('C10', judgeVersusClaims(results));
const c22 = (results: readonly Result[]) => find('C22', judgeVersusClaims(results));

/** So many times the throughput, at response times that are shorter by as much. */
const faster = (speed: number): ArmFigures => ({ speed, slowness: 1 / speed });

/** Dragonfly is faster, more so with more workers and with the optimized pool. */
const asClaimed = ({ workers, preset, client }: Scenario): ArmFigures =>
  faster(
    client === 'wire'
      ? 1.4
      : (1 + workers / 1000) * (preset === 'optimized' ? 1.1 : 1) * (workers > 50 ? 1.1 : 1),
  );

/** Faster by this much where the server is the limit, and level with Redis behind a client that is. */
const whereItTells = (speed: number) => (scenario: Scenario) => (withBatches(scenario) ? faster(speed) : {});

/** A server that is known to write this to disk. */
const writing = ({ target }: Result, persistence: readonly string[]): Result['target']['detected'] => ({
  ...target.detected,
  persistence,
});

const withTarget = (result: Result, target: Partial<Result['target']>): Result => ({
  ...result,
  target: { ...result.target, ...target },
});

test('Valkey, supported: throughput and p95 within 5 % of Redis', async () => {
  const claim = c9([await side('redis'), await side('valkey', () => faster(1.02))]);
  expect(claim).toMatchObject({ verdict: 'supported', predictions: 2 });
  expect(claim.measured).toBeCloseTo(1.02);
});

test('Valkey, refuted: 10 % faster is not within 5 %, and neither is a p95 that is 10 % longer', async () => {
  const fast = c9([await side('redis'), await side('valkey', () => faster(1.1))]);
  expect(fast).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(1.1) });
  const slow = c9([await side('redis'), await side('valkey', () => ({ slowness: 1.1 }))]);
  expect(slow).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(1.1) });
  expect(slow.gist).toMatch(/response p95 ×1\.10/);
});

test('Valkey: it is judged where the servers were the limit, not behind a saturated client', async () => {
  const claim = c9([await side('redis'), await side('valkey', whereItTells(1.2))]);
  expect(claim).toMatchObject({ verdict: 'refuted', limitedBy: ['server'] });
  expect(claim.measured).toBeCloseTo(1.2);
  expect(claim.reason).toMatch(/ wire in batches of 10 at 50 workers: throughput ×1\.20/);
  const isJudged = ({ predicted }: (typeof claim.comparisons)[number]) => predicted !== null;
  const judged = claim.comparisons.filter(isJudged);
  expect(judged.map(({ base }) => base).every(id => id.includes('wire'))).toBe(true);
  expect(judged).toHaveLength(2);
  // The six of ioredis stand beside it, each with its p95.
  expect(claim.comparisons.filter(one => !isJudged(one))).toHaveLength(12);
});

test('Valkey, inconclusive: no arm brought a server to its limit', async () => {
  const isLimit = never;
  const claim = c9([
    await side('redis', undefined, { isLimit }),
    await side('valkey', undefined, { isLimit }),
  ]);
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, limitedBy: ['client'] });
  expect(claim.reason).toContain('(limited by client)');
  expect(claim.comparisons).toHaveLength(14);
  expect(claim.comparisons.every(({ predicted }) => predicted === null)).toBe(true);
});

const isBound = { redis: [withBatches, never], valkey: [never, withBatches] } as const;

test.each([
  ['refuted', 'at least 1.1', 1.1, 'redis'],
  ['refuted', 'at most 0.9', 0.9, 'valkey'],
  ['inconclusive', 'at least 0.9', 0.9, 'redis'],
  ['inconclusive', 'at least level', 1, 'redis'],
  ['inconclusive', 'at most level', 1, 'valkey'],
  ['inconclusive', 'at most 1.1', 1.1, 'valkey'],
] as const)('Valkey, %s: %s of Redis, as only %4$s was at its limit', async (verdict, _, speed, atLimit) => {
  const [ofRedis, ofValkey] = isBound[atLimit];
  const redis = await side('redis', undefined, { isLimit: ofRedis });
  const claim = c9([redis, await side('valkey', () => faster(speed), { isLimit: ofValkey })]);
  expect(claim).toMatchObject({ verdict, measured: expect.closeTo(speed) });
  // Nothing bounds the other end.
  expect(claim).toMatchObject(atLimit === 'redis' ? { high: null } : { low: null });
});

test.each<[string, (valkey: Result) => Result, RegExp]>([
  ['one of them shared the machine', valkey => withTarget(valkey, { local: false }), /redis shared/],
  [
    'poolbench ran on another processor',
    valkey => ({ ...valkey, environment: { ...valkey.environment, cpu: 'another' } }),
    /another with 8 cores/,
  ],
  [
    'poolbench had another number of cores',
    valkey => ({ ...valkey, environment: { ...valkey.environment, cores: 4 } }),
    /with 4 cores/,
  ],
  [
    'one had more threads',
    valkey => withTarget(valkey, { detected: { ...valkey.target.detected, threads: 4 } }),
    /redis .* 2 .* valkey 4 /,
  ],
  [
    'one was a cluster',
    valkey => withTarget(valkey, { detected: { ...valkey.target.detected, masters: 3 } }),
    /redis was one server, .* 3 masters/,
  ],
  [
    'one was reached over TLS',
    valkey => withTarget(valkey, { declared: { server: 'valkey', url: 'rediss://localhost:6379/0' } }),
    /redis over TCP, .* TLS/,
  ],
  [
    'one wrote to disk',
    valkey => withTarget(valkey, { detected: writing(valkey, ['append-only file']) }),
    /redis wrote nothing .* valkey .* \(append-only file\)/i,
  ],
])('Valkey, inconclusive: %s', async (_, change, why) => {
  const redis = await side('redis');
  const asEqual = withTarget(redis, { detected: writing(redis, []) });
  const claim = c9([asEqual, change(await side('valkey'))]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(new RegExp(why.source, 'i'));
});

test('threads and writing to disk that are not known are held against nobody', async () => {
  const redis = await side('redis');
  const valkey = withTarget(await side('valkey'), {
    detected: { ...redis.target.detected, server: 'valkey', threads: null },
  });
  const writes = withTarget(redis, { detected: writing(redis, ['append-only file']) });
  expect(c9([writes, valkey]).verdict).toBe('supported');
});

test('Valkey, inconclusive: the interval leaves 5 %', async () => {
  const valkey = await side('valkey', (_, round) => faster(1 + 0.03 * round));
  expect(c9([await side('redis'), valkey]).verdict).toBe('inconclusive');
});

test('Dragonfly, supported: faster, scales better, gains more, and the client limits the arms of applications', async () => {
  const claim = c10([await side('redis'), await side('dragonfly', asClaimed)]);
  expect(claim).toMatchObject({ verdict: 'supported', predictions: 4, measured: expect.closeTo(1.4) });
  expect(claim.reason).toContain('Dragonfly had 2 threads');
  // One claim over both clients: each part is told once.
  expect(claim.reason.match(/gain from optimized pools/gi)).toHaveLength(1);
});

test.each<[string, number, (scenario: Scenario) => ArmFigures]>([
  ['level with Redis', 1, () => ({})],
  [
    'slower',
    0.8,
    scenario => faster(0.8 * (asClaimed(scenario).speed ?? 1) * (withBatches(scenario) ? 1 / 1.4 : 1)),
  ],
  [
    'level where the servers are the limit, whatever it is elsewhere',
    1,
    scenario => (withBatches(scenario) ? {} : asClaimed(scenario)),
  ],
  ['10 % faster', 1.1, scenario => (withBatches(scenario) ? faster(1.1) : asClaimed(scenario))],
])('Dragonfly, refuted: %s', async (_, measured, figures) => {
  const claim = c10([await side('redis'), await side('dragonfly', figures)]);
  expect(claim).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(measured) });
});

test.each<[string, (scenario: Scenario) => number]>([
  ['it scales no better', ({ workers, preset }) => (preset === 'optimized' ? 1.2 : 1) - workers / 1000],
  [
    'it gains less from the optimized pool',
    ({ workers, preset }) => (preset === 'optimized' ? 0.9 : 1) + workers / 1000,
  ],
  [
    '3 % more gain is no more gain',
    ({ workers, preset }) => (preset === 'optimized' ? 1.03 : 1) * (workers > 50 ? 1.2 : 1),
  ],
])('Dragonfly, refuted: as much faster as was promised, but %s', async (_, speed) => {
  const figures = (scenario: Scenario) => faster(withBatches(scenario) ? 1.4 : speed(scenario));
  const claim = c10([await side('redis'), await side('dragonfly', figures)]);
  expect(claim.verdict).toBe('refuted');
  expect(claim.gist).toMatch(/gain from .*: fails/i);
});

test('Dragonfly, refuted: 25 % faster, but its p95 is not 23 % shorter', async () => {
  const figures = (scenario: Scenario) => (withBatches(scenario) ? faster(1.25) : asClaimed(scenario));
  const claim = c10([await side('redis'), await side('dragonfly', figures)]);
  expect(claim).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(0.8) });
  expect(claim.reason).toMatch(/throughput ×1\.25 .*: holds\./);
});

test('Dragonfly, held back by the client: a lower bound supports what it exceeds, and leaves the rest open', async () => {
  const against = async (speed: number) => {
    const figures = (scenario: Scenario) => (withBatches(scenario) ? faster(speed) : asClaimed(scenario));
    return c10([await side('redis'), await side('dragonfly', figures, { isLimit: never })]);
  };
  expect(await against(1.4)).toMatchObject({
    verdict: 'supported',
    measured: expect.closeTo(1.4),
    high: null,
  });
  for (const speed of [0.9, 1.1]) {
    const open = await against(speed);
    expect(open).toMatchObject({ verdict: 'inconclusive', measured: expect.closeTo(speed), high: null });
    expect(open.reason).toMatch(/a bound, as Dragonfly was not at its limit: client/);
    // 0.6 of a server core kept one of the client busy, so 2 threads of the server take 4 of the client.
    expect(open.reason).toMatch(
      /about 6 cores .*\(2 server threads and 4 client threads, of which these arms had 1\)/,
    );
  }
});

test('Dragonfly, Redis held back by the client: an upper bound refutes what it falls short of', async () => {
  const redis = await side('redis', undefined, { isLimit: never });
  const against = async (speed: number) =>
    c10([
      redis,
      await side('dragonfly', scenario => (withBatches(scenario) ? faster(speed) : asClaimed(scenario))),
    ]);
  expect(await against(1.1)).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(1.1), low: null });
  const open = await against(1.4);
  expect(open.verdict).toBe('inconclusive');
  expect(open.reason).toContain('throughput at most ×1.40; predicted ×1.20 or more: stays open. ');
});

test('the outlook of a bound tells what it can find, and no rounds that cannot decide it', () => {
  const values = [1.3, 1.2, 1.32, 1.28, 1.31, 1.35, 1.27, 1.4];
  const of = (more: Partial<Prediction>) =>
    describePower({
      series: new RoundSeries(values.entries(), fixedRounds(values.length)),
      range: { low: 1.25, high: null },
      format: ratio => ratio.toFixed(2),
      ...more,
    }).join('; ');
  expect(of({})).toMatch(/detects 1\.\d\d or more .*rounds would decide/);
  expect(of({ bound: 'lower' })).toBe(of({}));
  expect(of({ bound: 'upper' })).toMatch(/detects 1\.\d\d or less with 80 % power$/);
  const rounds = (text: string) => Number(/about (\d+) rounds/.exec(text)?.[1]);
  expect(rounds(of({ chances: { above: 4 } }))).toBeGreaterThan(rounds(of({})));
});

test('Dragonfly, inconclusive: too few cores, and how many it takes', async () => {
  const crowded = {
    ...busyClient,
    eventLoopUtilization: [0.6],
    clientCores: 0.8,
    serverCores: 1.2,
    machineBusyShare: 0.99,
  };
  const onTwo = async (server: Server, threads: number) => {
    const result = await side(server, scenario => ({ ...asClaimed(scenario), round: { cpu: crowded } }), {
      threads,
    });
    const limitedBy = { resource: 'machine', evidence: '' } as const;
    return {
      ...result,
      environment: { ...result.environment, cores: 2, cpus: 2 },
      scenarios: result.scenarios.map(scenario => ({ ...scenario, limitedBy })),
    };
  };
  const claim = c10([await onTwo('redis', 1), await onTwo('dragonfly', 4)]);
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null, limitedBy: ['machine'] });
  expect(claim.reason).toMatch(
    /about 7 cores .*4 server threads and 3 client threads, .*; this machine has 2/,
  );
  expect(claim.reason).toMatch(/gain from 10 to 100 workers .* stays open/);
  expect(claim.reason).toMatch(/about 5 cores .*4 server threads and 1 client thread\)/);
});

test('Dragonfly, inconclusive: one full thread is not its limit if the others have no core', async () => {
  const onTwo = async (...args: Parameters<typeof side>) => {
    const result = await side(...args);
    return { ...result, environment: { ...result.environment, cores: 2, cpus: 2 } };
  };
  const redis = await onTwo('redis', undefined, { threads: 1 });
  const figures = (scenario: Scenario) => (withBatches(scenario) ? faster(0.9) : asClaimed(scenario));
  const claim = c10([redis, await onTwo('dragonfly', figures, { threads: 2 })]);
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: expect.closeTo(0.9), high: null });
  expect(claim.reason).toMatch(/not at its limit: machine.* about 4 cores .*; this machine has 2/);
});

test('Dragonfly: unequal threads are no flaw, another place of the server is', async () => {
  const dragonfly = await side('dragonfly', asClaimed, { threads: 8 });
  expect(c10([await side('redis'), dragonfly]).verdict).toBe('supported');
  const far = c10([await side('redis'), withTarget(dragonfly, { local: false })]);
  expect(far.verdict).toBe('inconclusive');
  expect(far.reason).toContain('edis shared');
});

describe('Dragonfly with several numbers of threads', () => {
  const sweep = async (figures: Readonly<Record<number, (scenario: Scenario) => ArmFigures>>) => {
    const sides = Object.entries(figures).map(async ([threads, of]) => ({
      ...(await side('dragonfly', of, { threads: Number(threads), rounds: 12 })),
      name: `dragonfly-${threads}`,
    }));
    return c10([await side('redis', undefined, { rounds: 12 }), ...(await Promise.all(sides))]);
  };

  test('supported: with one of them it is as claimed', async () => {
    const claim = await sweep({ 1: () => ({}), 4: asClaimed });
    expect(claim).toMatchObject({ verdict: 'supported', measured: expect.closeTo(1.4), predictions: 4 });
    expect(claim.gist).toMatch(/^With 4 server threads: /);
    expect(claim.reason).toMatch(/With 1 server thread: .* With 4 server threads: /);
  });

  test('refuted: with none of them', async () => {
    const claim = await sweep({ 1: () => faster(0.8), 4: () => ({}) });
    expect(claim).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(1) });
  });

  test('they share the chance to err: each takes more rounds than one alone', async () => {
    const sides = await Promise.all([
      side('redis'),
      side('dragonfly', asClaimed, { threads: 1 }),
      side('dragonfly', asClaimed, { threads: 4 }),
    ]);
    expect(c10(sides).verdict).toBe('inconclusive');
  });
});

test('Valkey gains the same, supported: ×1.02 of the gain on Redis', async () => {
  const onRedis = ({ preset }: Scenario) => ({ speed: preset === 'optimized' ? 1.3 : 1 });
  const valkey = ({ preset }: Scenario) => ({ speed: preset === 'optimized' ? 1.2 * 1.326 : 1.2 });
  const claim = c22([await side('redis', onRedis), await side('valkey', valkey)]);
  expect(claim).toMatchObject({ verdict: 'supported', measured: expect.closeTo(1.02), predictions: 1 });
});

test('Valkey gains the same, refuted: ×1.2 of the gain, though optimized pools are level', async () => {
  const valkey = ({ preset }: Scenario) => ({ speed: preset === 'optimized' ? 1 : 1 / 1.2 });
  expect(c22([await side('redis'), await side('valkey', valkey)])).toMatchObject({
    verdict: 'refuted',
    measured: expect.closeTo(1.2),
  });
});

test('Valkey gains the same, inconclusive: one level contradicts the mean', async () => {
  const valkey = ({ preset, workers }: Scenario) => ({
    speed: preset === 'optimized' && workers === 10 ? 1.2 : 1,
  });
  const claim = c22([await side('redis'), await side('valkey', valkey)]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toContain('at 10 workers alone');
});

test('not tested: several sides of one server with as many threads, of which none is taken silently', async () => {
  const twice = ['a', 'b'].map(async name => ({ ...(await side('dragonfly', asClaimed)), name }));
  const claim = c10([await side('redis'), ...(await Promise.all(twice))]);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('(a and b)');
  expect(claim.reason).toContain('compare A B');
  const redisTwice = c9([await side('redis'), await side('redis'), await side('valkey')]);
  expect(redisTwice.reason).toContain('are redis');
});

test('the gains are compared in the same round, so weather that hits both servers cancels out', async () => {
  const shaken = (base: (scenario: Scenario) => ArmFigures) => (scenario: Scenario, round: number) => {
    const { speed = 1, slowness = 1 } = base(scenario);
    return { speed: speed * (scenario.preset === 'optimized' ? 1 + 0.2 * round : 1), slowness };
  };
  const redis = await side(
    'redis',
    shaken(() => ({})),
  );
  expect(c10([redis, await side('dragonfly', shaken(asClaimed))]).verdict).toBe('supported');
});

test('what a run is asked is what its verdict is made of', async () => {
  const sides = [await side('redis'), await side('dragonfly', asClaimed)];
  expect(dragonfly.judgeSides(sides).asked?.map(({ state }) => state)).toEqual(Array(4).fill('decided'));
  expect(dragonfly.judgeSides(sides.slice(0, 1)).asked ?? []).toEqual([]);
});

test('a gain is asked of its own four arms, so that levels in blocks of their own can be asked', async () => {
  const asked = valkeyGains.judgeSides([await side('redis'), await side('valkey')]).asked ?? [];
  expect(asked).toHaveLength(1);
  const groups = asked[0]?.groups ?? [];
  expect(groups.length).toBeGreaterThan(1);
  for (const group of groups)
    expect(group.map(({ workers }) => workers)).toEqual(Array(4).fill(group[0]?.workers));
});

test('fewer than six rounds are inconclusive', async () => {
  const five = { rounds: 5 };
  const redis = await side('redis', undefined, five);
  expect(c9([redis, await side('valkey', undefined, five)]).verdict).toBe('inconclusive');
  expect(c10([redis, await side('dragonfly', asClaimed, five)]).verdict).toBe('inconclusive');
});

test('not tested: two runs of their own, though both are complete', async () => {
  const another = { session: 'another' };
  const claim = c9([await side('redis'), await side('valkey', undefined, another)]);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('not measured in turn');
  const { session: _, ...redis } = await side('redis');
  const { session: __, ...dragonfly } = await side('dragonfly', asClaimed);
  expect(c10([redis, dragonfly]).verdict).toBe('not tested');
});

test('not tested: what answered is not what was declared', async () => {
  const stoodIn = { ...(await side('dragonfly', asClaimed)), target: standInTarget };
  const claim = c10([await side('redis'), stoodIn]);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toMatch(/dragonfly, .* redis 7\.0\.15 /);
});

test('not tested: a Redis that stood in for another server is not the Redis to compare with', async () => {
  const redis = await side('redis');
  const stoodIn = { ...redis, target: { ...redis.target, declared: standInTarget.declared, standIn: true } };
  const claim = c9([stoodIn, await side('valkey')]);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('comparison is redis');
});

test('not tested: no Redis to compare with', async () => {
  const claim = c9([await side('valkey'), await side('dragonfly')]);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('comparison is redis');
});

test('not tested: scenarios that the sides do not have in common', async () => {
  const redis = await side('redis');
  const valkey = await side('valkey');
  const others = valkey.scenarios.map(scenario => ({ ...scenario, pipeline: 20 }));
  expect(c9([redis, { ...valkey, scenarios: others }]).verdict).toBe('not tested');
});

test.each(['C9', 'C10', 'C22'])('one run alone is no test of %s, and names what is', async id => {
  const claim = judge(id, withoutControls(await side('redis')));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('poolbench versus');
});

test('the comparisons name the servers', async () => {
  const [first] = c9([await side('redis'), await side('valkey')]).comparisons;
  expect(first?.base).toMatch(/^redis: wire-/);
  expect(first?.other).toMatch(/^valkey: wire-/);
});
