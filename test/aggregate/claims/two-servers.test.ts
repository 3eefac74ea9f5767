import { expect, test } from 'vitest';
import { judgeVersusClaims } from '../../../src/aggregate/claims/claims.ts';
import type { Result } from '../../../src/aggregate/result.ts';
import { withoutControls } from '../../../src/aggregate/stats/control.ts';
import type { Scenario } from '../../../src/main/experiment/scenarios.ts';
import { type ArmFigures, find, judge, measureSuite } from '../../support/claim-arms.ts';
import { buildResult, buildRound, standInTarget } from '../../support/result-builder.ts';

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

const withLargeBatches = ({ client, pipeline }: Scenario) => client === 'wire' && pipeline === 100;
/** As it would be with a client that is no limit. */
const withManyWorkers = (scenario: Scenario) => withLargeBatches(scenario) || scenario.workers >= 50;

async function side(
  server: Server,
  figures: (scenario: Scenario, round: number) => ArmFigures = () => ({}),
  { rounds = 6, session = 'one', threads = 2, isLimit = withLargeBatches }: SideOptions = {},
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
  return buildResult(scenarios, { target, session, claims: [] });
}

const c9 = (results: readonly Result[]) => find('C9', judgeVersusClaims(results));
/** Redis beside a Dragonfly of these figures, where many workers are enough to saturate either. */
const besideDragonfly = async (figures?: (scenario: Scenario, round: number) => ArmFigures) => [
  await side('redis', undefined, { isLimit: withManyWorkers }),
  await side('dragonfly', figures, { isLimit: withManyWorkers }),
];

const c10 = (results: readonly Result[]) => find('C10', judgeVersusClaims(results));

/** Dragonfly is faster, more so with more workers and with the optimized pool. */
const asClaimed = ({ workers, preset }: Scenario): ArmFigures => ({
  speed: (workers < 50 ? 1.1 : workers === 50 ? 1.3 : 1.4) * (preset === 'optimized' ? 1 : 0.9),
});

/** Faster by this much where the server is the limit, and level with Redis behind a client that is. */
const whereItTells =
  (speed: number) =>
  ({ client, pipeline }: Scenario): ArmFigures => ({
    speed: client === 'wire' && pipeline === 100 ? speed : 1,
  });

/** A server that is known to write this to disk. */
const writing = ({ target }: Result, persistence: readonly string[]): Result['target']['detected'] => ({
  ...target.detected,
  persistence,
});

const withTarget = (result: Result, target: Partial<Result['target']>): Result => ({
  ...result,
  target: { ...result.target, ...target },
});

test('Valkey, supported: within 5 % of Redis', async () => {
  const claim = c9([await side('redis'), await side('valkey', () => ({ speed: 1.02 }))]);
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(1.02);
});

test('Valkey, refuted: 10 % faster is not within 5 %', async () => {
  expect(c9([await side('redis'), await side('valkey', () => ({ speed: 1.1 }))]).verdict).toBe('refuted');
});

test('Valkey: it is judged where the servers were the limit, not behind a saturated client', async () => {
  const claim = c9([await side('redis'), await side('valkey', whereItTells(1.2))]);
  expect(claim).toMatchObject({ verdict: 'refuted', limitedBy: ['server'] });
  expect(claim.measured).toBeCloseTo(1.2);
  expect(claim.reason).toMatch(/ wire .* optimized .* 50 .* 100: throughput ×1\.20/);
  const judged = claim.comparisons.filter(({ predicted }) => predicted !== null);
  expect(judged).toHaveLength(1);
  // The others stand beside it, each with its p95.
  expect(
    claim.comparisons.map(({ measure }) => measure).filter(name => name === 'response p95'),
  ).toHaveLength(8);
});

test('Valkey, inconclusive: no arm was limited by the servers on both sides', async () => {
  const saturated = () => ({ round: { cpu: busyClient } });
  const pairs = [
    [await side('redis', saturated), await side('valkey', saturated)],
    [await side('redis'), await side('valkey', saturated)],
    [await side('redis', saturated), await side('valkey')],
  ];
  for (const sides of pairs) {
    const claim = c9(sides);
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
    expect(claim.reason).toMatch(/: (client|client and server|server and client)\.$/);
    expect(claim.comparisons).toHaveLength(16);
    expect(claim.comparisons.every(({ predicted }) => predicted === null)).toBe(true);
  }
});

const single50 = ({ client, preset, workers }: Scenario) =>
  client === 'ioredis' && preset === 'optimized' && workers === 50;
const never = () => false;

test('Valkey, refuted: at least 10 % faster, held back by the client where Redis was the limit', async () => {
  const redis = await side('redis', undefined, { isLimit: single50 });
  const claim = c9([redis, await side('valkey', () => ({ speed: 1.1 }), { isLimit: never })]);
  expect(claim).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(1.1) });
  expect(claim.reason).toMatch(/at least, .*: throughput ×1\.10/);
});

test('Valkey, refuted: at most 0.9 of Redis, which the client held back', async () => {
  const redis = await side('redis', undefined, { isLimit: never });
  const claim = c9([redis, await side('valkey', () => ({ speed: 0.9 }), { isLimit: single50 })]);
  expect(claim).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(0.9) });
  expect(claim.reason).toMatch(/at most, .*: throughput ×0\.90/);
});

test.each([
  ['at least 0.9', 0.9, single50, never],
  ['at least level', 1, single50, never],
  ['at most level', 1, never, single50],
  ['at most 1.1', 1.1, never, single50],
])(
  'Valkey, inconclusive: %s of Redis, which is no bound that decides',
  async (_, speed, ofRedis, ofValkey) => {
    const redis = await side('redis', undefined, { isLimit: ofRedis });
    const valkey = await side('valkey', () => ({ speed }), { isLimit: ofValkey });
    expect(c9([redis, valkey])).toMatchObject({ verdict: 'inconclusive', measured: null });
  },
);

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
  const valkey = await side('valkey', (_, round) => ({ speed: 1 + 0.03 * round }));
  expect(c9([await side('redis'), valkey]).verdict).toBe('inconclusive');
});

test('Dragonfly, supported: faster, scales better, gains more', async () => {
  const claim = c10(await besideDragonfly(asClaimed));
  expect(claim.verdict).toBe('supported');
  expect(claim.measured).toBeCloseTo(1.3);
  expect(claim.reason).toContain('Dragonfly had 2 threads');
  // One claim over both clients: each part is told once.
  expect(claim.reason.match(/from optimized pools/gi)).toHaveLength(1);
});

test('Dragonfly, refuted: level with Redis', async () => {
  expect(c10([await side('redis'), await side('dragonfly')]).verdict).toBe('refuted');
});

test('Dragonfly, refuted: as much faster as was promised, but it scales no better', async () => {
  const sides = await besideDragonfly(({ preset, workers }) => ({
    speed: (preset === 'optimized' ? 1.4 : 1.2) - workers / 1000,
  }));
  expect(c10(sides).verdict).toBe('refuted');
});

test('Dragonfly, refuted: as much faster, but it gains less from the optimized pool', async () => {
  const sides = await besideDragonfly(({ preset, workers }) => ({
    speed: (preset === 'optimized' ? 1.3 : 1.5) + workers / 1000,
  }));
  expect(c10(sides).verdict).toBe('refuted');
});

test('Dragonfly, refuted: 3 % more gain is no more gain', async () => {
  const sides = await besideDragonfly(({ preset, workers }) => ({
    speed: 1.3 * (preset === 'optimized' ? 1.03 : 1) * (workers > 50 ? 1.2 : 1),
  }));
  expect(c10(sides).verdict).toBe('refuted');
});

test('Dragonfly, refuted: it is level with Redis where the servers are the limit, whatever it is elsewhere', async () => {
  const elsewhere = (scenario: Scenario) => (scenario.client === 'wire' ? {} : asClaimed(scenario));
  const claim = c10([await side('redis'), await side('dragonfly', elsewhere)]);
  expect(claim.verdict).toBe('refuted');
  expect(claim.measured).toBeCloseTo(1);
});

test('Dragonfly, inconclusive: faster, but its gains were measured behind a saturated client', async () => {
  for (const gaining of [asClaimed, whereItTells(1.3)]) {
    const claim = c10([await side('redis'), await side('dragonfly', gaining)]);
    expect(claim).toMatchObject({ verdict: 'inconclusive', measured: expect.closeTo(1.3) });
    expect(claim.reason).toMatch(/throughput ×1\.30 .*: holds\./);
    expect(claim.gist).toMatch(/ most workers \(×\S+ \[.*\] .*\) stays open: .* \(client\)\./);
    expect(claim.gist).toContain('from optimized pools');
  }
});

test('Dragonfly, inconclusive: with optimized pools it is the servers, without them it is the client', async () => {
  const isLimit = (scenario: Scenario) => withManyWorkers(scenario) && scenario.preset === 'optimized';
  const redis = await side('redis', undefined, { isLimit });
  const claim = c10([redis, await side('dragonfly', asClaimed, { isLimit })]);
  expect(claim.verdict).toBe('inconclusive');
  expect(claim.reason).toMatch(/ most workers ×\S+ \[.*\]; predicted ×1\.05 .*: holds/);
  expect(claim.gist).not.toContain('from the fewest');
  expect(claim.gist).toContain('from optimized pools');
});

test('Dragonfly: a bound from one side can hold the promise, or fail it', async () => {
  const held = c10([
    await side('redis', undefined, { isLimit: single50 }),
    await side('dragonfly', asClaimed, { isLimit: never }),
  ]);
  expect(held).toMatchObject({ verdict: 'inconclusive', measured: expect.closeTo(1.3) });
  expect(held.reason).toMatch(/at least, .*: throughput ×1\.30 .*: holds\./);
  const failed = c10([
    await side('redis', undefined, { isLimit: never }),
    await side('dragonfly', () => ({ speed: 1.1 }), { isLimit: single50 }),
  ]);
  expect(failed).toMatchObject({ verdict: 'refuted', measured: expect.closeTo(1.1) });
  const open = c10([
    await side('redis', undefined, { isLimit: single50 }),
    await side('dragonfly', () => ({ speed: 1.1 }), { isLimit: never }),
  ]);
  expect(open).toMatchObject({ verdict: 'inconclusive', measured: null });
});

test('Dragonfly, inconclusive: no arm was limited by the servers', async () => {
  const redis = await side('redis', undefined, { isLimit: never });
  const claim = c10([redis, await side('dragonfly', asClaimed, { isLimit: never })]);
  expect(claim).toMatchObject({ verdict: 'inconclusive', measured: null });
  expect(claim.reason).toContain(': client.');
});

test('Dragonfly: unequal threads are no flaw, another place of the server is', async () => {
  const redis = await side('redis', undefined, { isLimit: withManyWorkers });
  const dragonfly = await side('dragonfly', asClaimed, { threads: 8, isLimit: withManyWorkers });
  expect(c10([redis, dragonfly]).verdict).toBe('supported');
  const far = c10([redis, withTarget(dragonfly, { local: false })]);
  expect(far.verdict).toBe('inconclusive');
  expect(far.reason).toContain('edis shared');
});

test('not tested: several sides of one server, of which none is taken silently', async () => {
  const sweep = await Promise.all(
    [1, 4].map(async threads => ({
      ...(await side('dragonfly', asClaimed, { threads })),
      name: `dragonfly-${threads}`,
    })),
  );
  const claim = c10([await side('redis'), ...sweep]);
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('(dragonfly-1 and dragonfly-4)');
  expect(claim.reason).toContain('compare A B');
  const redisTwice = c9([await side('redis'), await side('redis'), await side('valkey')]);
  expect(redisTwice.reason).toContain('are redis');
});

test('the gains are compared in the same round, so weather that hits both servers cancels out', async () => {
  const shaken = (base: (scenario: Scenario) => ArmFigures) => (scenario: Scenario, round: number) => ({
    speed: (base(scenario).speed ?? 1) * (scenario.preset === 'optimized' ? 1 + 0.2 * round : 1),
  });
  const redis = await side(
    'redis',
    shaken(() => ({})),
    { isLimit: withManyWorkers },
  );
  const dragonfly = await side('dragonfly', shaken(asClaimed), { isLimit: withManyWorkers });
  expect(c10([redis, dragonfly]).verdict).toBe('supported');
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

test.each(['C9', 'C10'])('one run alone is no test of %s, and names what is', async id => {
  const claim = judge(id, withoutControls(await side('redis')));
  expect(claim.verdict).toBe('not tested');
  expect(claim.reason).toContain('poolbench versus');
});

test('the comparisons name the servers', async () => {
  const [first] = c9([await side('redis'), await side('valkey')]).comparisons;
  expect(first?.base).toMatch(/^redis: wire-/);
  expect(first?.other).toMatch(/^valkey: wire-/);
});
