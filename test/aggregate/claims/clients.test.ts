import { describe, expect, test } from 'vitest';
import { judge, measureSuite } from '../../support/claim-arms.ts';
import { buildRound } from '../../support/result-builder.ts';

describe('C24: node-redis and ioredis', () => {
  /** CPU per operation of node-redis, as a factor of that of ioredis; null: it could not be read. */
  const clients = (cost: number | null, noise = 0) =>
    measureSuite('clients', ({ client }, round) => {
      const factor = client === 'ioredis' ? 1 : cost;
      const { cpu } = buildRound(round, 1);
      const clientMicrosPerOp =
        factor === null ? null : 20 * factor * (1 + (factor === 1 ? 0 : noise) * (round - 3));
      return { round: { cpu: { ...cpu, clientMicrosPerOp } } };
    });

  test('supported: it takes less CPU, whatever the throughput', async () => {
    const claim = judge('C24', await clients(0.8));
    expect(claim).toMatchObject({ verdict: 'supported', unit: '×' });
    expect(claim.measured).toBeCloseTo(0.8);
    expect(claim.gist).toContain('these versions of the clients');
    expect(claim.comparisons.map(({ measure }) => measure)).toContain('throughput');
  });

  test('refuted: it takes as much, or more', async () => {
    for (const cost of [1, 1.3]) expect(judge('C24', await clients(cost)).verdict).toBe('refuted');
  });

  test('inconclusive: the interval holds the 5 %', async () => {
    expect(judge('C24', await clients(0.95, 0.02)).verdict).toBe('inconclusive');
  });

  test('no verdict without CPU figures; not tested without node-redis, or with its options', async () => {
    expect(judge('C24', await clients(null)).verdict).toBe('inconclusive');
    const scenarios = await clients(0.8);
    const alone = scenarios.filter(({ client }) => client === 'ioredis');
    expect(judge('C24', alone)).toMatchObject({
      verdict: 'not tested',
      reason: expect.stringContaining('clients.json tests it'),
    });
    const tuned = scenarios.map(arm => ({ ...arm, clientOptions: { RESP: 2 } }));
    expect(judge('C24', tuned).verdict).toBe('not tested');
  });

  test('not tested by sessions of a script', async () => {
    const script = { commands: 1, counted: null, steps: [], messages: {} };
    const loaded = (await clients(0.8)).map(arm => ({
      ...arm,
      rounds: arm.rounds.map(round => ({ ...round, script })),
    }));
    expect(judge('C24', loaded)).toMatchObject({
      verdict: 'not tested',
      reason: expect.stringContaining('a script'),
    });
  });
});

describe('C25: auto-pipelining', () => {
  /** Throughput with it, as a factor of that without, by the number of workers. */
  const joined = (gains: Readonly<Record<number, number>>) =>
    measureSuite('auto-pipelining', ({ autoPipelining, workers }) => ({
      speed: autoPipelining ? (gains[workers] ?? 1.5) : 1,
    }));

  test('supported: it pays at each level from 10 workers on, and costs one worker little', async () => {
    const claim = judge('C25', await joined({ 1: 0.97 }));
    expect(claim).toMatchObject({ verdict: 'supported', predictions: 4 });
  });

  test('refuted: one level without a gain is enough, and so is a loss for one worker', async () => {
    expect(judge('C25', await joined({ 10: 1 })).verdict).toBe('refuted');
    expect(judge('C25', await joined({ 1: 0.8 })).verdict).toBe('refuted');
  });

  test('inconclusive: without a single caller, or without several', async () => {
    const scenarios = await joined({});
    for (const isOut of [(workers: number) => workers === 1, (workers: number) => workers > 1])
      expect(
        judge(
          'C25',
          scenarios.filter(({ workers }) => !isOut(workers)),
        ),
      ).toMatchObject({ verdict: 'inconclusive', gist: expect.stringContaining('is not tested') });
  });

  test('not tested where a connection has one caller each', async () => {
    const scenarios = await joined({});
    const pools = scenarios.map(arm => ({ ...arm, pool: 'optimized' }));
    expect(judge('C25', pools).verdict).toBe('not tested');
  });
});
