import { describe, expect, test } from 'vitest';
import { compareResults } from '../../src/aggregate/comparison/compare-results.ts';
import { whyNotComparable } from '../../src/aggregate/comparison/fairness.ts';
import { comparisonSchema } from '../../src/aggregate/comparison/schema.ts';
import { type Result, type RoundResult, resultSchema } from '../../src/aggregate/result.ts';
import { unbounded } from '../../src/aggregate/stats/statistics.ts';
import { parseConfig } from '../../src/main/experiment/read-config.ts';
import { inMarkdown, onTerminal } from '../support/documents.ts';
import { buildResult, buildRound, buildScenario, standInTarget } from '../support/result-builder.ts';

describe('a comparison to the first result', () => {
  /** Rounds that drift by half, so that only a comparison within each round is sharp. */
  const drift = [1, 0.8, 1.2, 0.9, 1.5, 1];
  const rounds = (opsPerSecond: number, changes: Partial<RoundResult> = {}) =>
    drift.map((factor, index) => buildRound(index + 1, opsPerSecond * factor, changes));

  const unlimited = { resource: 'server', evidence: 'server main thread 0.99 of a core' } as const;
  const config = { workload: { keys: 100 }, rounds: 6, seconds: 1, warmupSeconds: 0.25 };

  function side(name: string, opsPerSecond: number, changes: Partial<Result> = {}): Result {
    const scenarios = [10, 50].map(workers =>
      buildScenario({ workers, limitedBy: unlimited }, rounds(opsPerSecond)),
    );
    return buildResult(scenarios, { name, config, claims: [], ...changes });
  }

  const inTurn = { session: 'one' };
  const clean = (workers: number) => buildScenario({ workers, limitedBy: unlimited }, rounds(20_000));
  const stateOf = (results: readonly Result[], name: string) =>
    compareResults(results).checks.find(check => check.name === name);

  test('sides of one session are paired by round, and their drift is not in the ratio', () => {
    const comparison = compareResults([side('redis', 20_000, inTurn), side('valkey', 22_000, inTurn)]);
    expect(comparison.sides.map(({ paired }) => paired)).toEqual([null, true]);
    const [base, other] = comparison.scenarios[0]?.sides ?? [];
    expect(base).toMatchObject({ side: 'redis', ratios: null, opsPerSecond: { median: 20_000 } });
    expect(other).toMatchObject({ side: 'valkey', ratios: { rounds: 6, coverage: 0.96875 } });
    for (const end of ['median', 'low', 'high'] as const) {
      expect(other?.ratios?.throughput?.[end]).toBeCloseTo(1.1, 6);
      expect(other?.ratios?.responseP99?.[end]).toBeCloseTo(1 / 1.1, 6);
    }
    expect(onTerminal.comparison(comparison)).toMatch(/valkey .*more .*redis in 2 scenarios, less in 0 /);
  });

  test('runs made apart are independent: their intervals hold the drift of both', () => {
    for (const [one, two] of [
      [{}, {}],
      [inTurn, { session: 'two' }],
      [inTurn, {}],
    ] as const) {
      const comparison = compareResults([side('redis', 20_000, one), side('valkey', 22_000, two)]);
      expect(comparison.sides[1]?.paired).toBe(false);
      const ratios = comparison.scenarios[0]?.sides[1]?.ratios;
      expect(ratios?.coverage).toBeCloseTo(0.96875 ** 2, 6);
      expect(ratios?.throughput?.median).toBeCloseTo(1.1, 6);
      expect(ratios?.throughput?.low).toBeCloseTo((1.1 * 0.8) / 1.5, 6);
      expect(ratios?.throughput?.high).toBeCloseTo((1.1 * 1.5) / 0.8, 6);
      expect(onTerminal.comparison(comparison)).toMatch(/ difference in 2\s+scenarios/);
    }
  });

  const few = (name: string, opsPerSecond: number, changes: Partial<Result> = inTurn, count = 4): Result => {
    const { scenarios, ...rest } = side(name, opsPerSecond, changes);
    return {
      ...rest,
      scenarios: scenarios.map(scenario => ({ ...scenario, rounds: scenario.rounds.slice(0, count) })),
    };
  };

  test('too few rounds show no difference', () => {
    const text = onTerminal.comparison(compareResults([few('redis', 10_000), few('valkey', 30_000)]));
    expect(text).toMatch(/Whether valkey and redis differ cannot be shown: that needs 6 rounds/);
    expect(text).not.toMatch(/clear\s+difference/);
    expect(text).toMatch(/no\s+ratio\s+is\s+shown/);
    expect(text).toMatch(/fewer\s+than\s+6\s+common\s+rounds/);
    expect(text).not.toMatch('luck');
    // What has no interval covers nothing.
    expect(text).toMatch(/too\s+few\s+rounds\s+for\s+an\s+interval/);
    expect(text).not.toContain('confidence');
  });

  test.each([{}, inTurn])('one round has figures of both sides, and no ratio (%j)', changes => {
    const once = (name: string, opsPerSecond: number) => {
      const [round] = rounds(opsPerSecond);
      const scenario = buildScenario(
        { workers: 10, limitedBy: unlimited },
        round === undefined ? [] : [round],
      );
      return buildResult([scenario], { name, config, claims: [], ...changes });
    };
    const results = [once('redis', 10_000), once('valkey', 30_000)];
    const text = onTerminal.comparison(compareResults(results));
    expect(text).toMatch(/^ *redis +10\.0k +1\.80 ms +2\.50 ms/m);
    expect(text).toMatch(/^ *valkey +30\.0k +0\.600 ms +0\.833 ms/m);
    expect(text).toMatch(/one\s+round\s+has\s+no\s+interval,\s+so\s+no\s+ratio\s+is\s+shown/);
    const [row] = inMarkdown
      .comparison(compareResults(results))
      .split('\n')
      .filter(line => /\| valkey \| 30\.0k \|/.test(line));
    expect(row).toContain('| – |');
  });

  test('a figure that is a lower bound of the worst stall has the marks of both, and its ratio that of the stall', () => {
    const lossy = (name: string) => {
      const scenario = buildScenario(
        { workers: 100, limitedBy: unlimited },
        rounds(20_000, { unfinished: 20 }),
      );
      return buildResult([scenario], { name, config, claims: [], ...inTurn });
    };
    const comparison = compareResults([
      side('redis', 20_000, { ...inTurn, scenarios: [clean(100)] }),
      lossy('valkey'),
    ]);
    const [, other] = comparison.scenarios[0]?.sides ?? [];
    expect(other?.caveats).toMatchObject({ responseP99: 'lower bound of the worst stall' });
    expect(inMarkdown.comparison(comparison)).toMatch(/≥\d\S*† .*\| ×1\.00† \\?\[1\.00, ∞/);
  });

  test.each([{}, inTurn])('fewer than 6 rounds make no ratio and exclude nothing (%j)', changes => {
    const comparison = compareResults([few('redis', 10_000, changes, 5), few('valkey', 30_000, changes, 5)]);
    for (const { sides } of comparison.scenarios)
      expect(sides[1]?.ratios).toMatchObject({ rounds: 5, coverage: 0, throughput: unbounded(3) });
    const text = onTerminal.comparison(comparison);
    expect(text).not.toContain('[');
    expect(text).toMatch(/cannot be shown: that needs 6 rounds/);
    expect(text).not.toContain('excluded');
    const mixed = few('redis', 10_000, {}, 6);
    const [first, second] = mixed.scenarios;
    if (first === undefined || second === undefined) throw new Error('expected two scenarios');
    const shorter = { ...mixed, scenarios: [first, { ...second, rounds: second.rounds.slice(0, 2) }] };
    const half = onTerminal.comparison(compareResults([shorter, side('valkey', 10_000)]));
    expect(half).toMatch(/clear\s+difference\s+in\s+2\s+scenarios/);
    expect(half).not.toContain('excluded');
  });

  test('only common scenarios are compared, and the others are named', () => {
    const more = side('valkey', 20_000, inTurn);
    const lone = buildScenario({ workers: 77, limitedBy: unlimited }, rounds(1000));
    const results = [side('redis', 20_000, inTurn), { ...more, scenarios: [...more.scenarios, lone] }];
    const comparison = compareResults(results);
    expect(comparison.scenarios.map(({ id }) => id)).toEqual(results[0]?.scenarios.map(({ id }) => id));
    expect(stateOf(results, 'scenarios')).toMatchObject({ state: 'not ok', values: ['2', '3'] });
    expect(stateOf(results, 'scenarios')?.note).toContain('77workers');
  });

  test('everything alike is ok; persistence is unknown if a result does not have it', () => {
    const results = [side('redis', 20_000, inTurn), side('valkey', 20_000, inTurn)];
    const states = compareResults(results).checks.map(({ name, state }) => [name, state]);
    expect(states.filter(([, state]) => state !== 'ok')).toEqual([['persistence off', 'unknown']]);
    const writing = (...each: (string[] | null)[]) =>
      stateOf(
        each.map(persistence => {
          const { target, ...rest } = side('redis', 20_000, inTurn);
          return { ...rest, target: { ...target, detected: { ...target.detected, persistence } } };
        }),
        'persistence off',
      );
    expect(writing([], [])).toMatchObject({ state: 'ok', values: ['off', 'off'] });
    expect(writing([], ['snapshots (save 60 1)'])).toMatchObject({
      state: 'not ok',
      values: ['off', 'snapshots (save 60 1)'],
    });
    expect(writing(null, ['append-only file'])?.state).toBe('not ok');
    expect(writing(null, [])?.state).toBe('unknown');
  });

  test('versions of clients are compared where both sides tell them', () => {
    const ofVersion = (version: string) =>
      side('redis', 20_000, { ...inTurn, clients: [{ client: 'ioredis', package: 'ioredis', version }] });
    expect(stateOf([ofVersion('6.0.0'), ofVersion('6.0.0')], 'clients')?.state).toBe('ok');
    expect(stateOf([ofVersion('5.8.1'), ofVersion('6.0.0')], 'clients')).toMatchObject({
      state: 'not ok',
      values: ['ioredis 5.8.1', 'ioredis 6.0.0'],
    });
    expect(stateOf([ofVersion('5.8.1'), side('redis', 20_000, inTurn)], 'clients')).toBeUndefined();
  });

  test('the outcomes that chance alone could make are counted', () => {
    const many = (name: string, session: string) =>
      side(name, 20_000, {
        session,
        scenarios: Array.from({ length: 24 }, (_, index) =>
          buildScenario({ workers: index + 1, limitedBy: unlimited }, rounds(20_000)),
        ),
      });
    const said = (session: string) =>
      onTerminal
        .comparison(compareResults([many('redis', 'one'), many('valkey', session)]), false)
        .replace(/\s+/g, ' ');
    // 24 scenarios, each with a chance of 2 × 1/64; made apart, of 1 − 0.96875².
    expect(said('one')).toMatch(/ up to 0\.75 of 24 intervals .*×1\./);
    expect(said('two')).toMatch(/ up to 1\.5 of 24 intervals .*×1, and drift/);
  });

  const detected = (threads: number | null): Result['target'] => ({
    ...side('any', 1).target,
    detected: { server: 'redis', version: '7.0.15', threads },
  });

  test.each<[string, Partial<Result>, string, string]>([
    ['environment', { environment: { ...side('x', 1).environment, cores: 4 } }, 'machine', 'not ok'],
    ['node', { environment: { ...side('x', 1).environment, node: 'v30.0.0' } }, 'runtime', 'not ok'],
    ['tool', { tool: { name: 'poolbench', version: '9.9.9' } }, 'runtime', 'not ok'],
    ['place', { target: { ...side('x', 1).target, local: false } }, 'place of the server', 'not ok'],
    [
      'start',
      { target: { ...side('x', 1).target, foundBy: 'binary redis-server, started on 127.0.0.1:6380' } },
      'start of the server',
      'not ok',
    ],
    [
      'TLS',
      { target: { ...side('x', 1).target, declared: { server: 'redis', url: 'rediss://h' } } },
      'connections',
      'not ok',
    ],
    [
      'RESP2',
      { target: { ...detected(1), detected: { ...detected(1).detected, protocol: 2 } } },
      'connections',
      'not ok',
    ],
    ['server threads', { target: detected(4) }, 'server threads', 'not ok'],
    ['untold server threads', { target: detected(null) }, 'server threads', 'unknown'],
    ['stand-in', { target: standInTarget }, 'no stand-in', 'not ok'],
    ['workload', { config: { ...config, workload: { keys: 200 } } }, 'workload', 'not ok'],
    ['rounds', { config: { ...config, rounds: 7 } }, 'rounds', 'not ok'],
    ['seconds', { config: { ...config, seconds: 2 } }, 'time of a measurement', 'not ok'],
    ['seed', { seed: 2 }, 'seed', 'not ok'],
    ['early end', { complete: false }, 'measured to the end', 'not ok'],
    ['another session', { session: 'two' }, 'measured in turn', 'not ok'],
  ])('a difference of %s is found', (_, changes, name, state) => {
    const alike = [side('redis', 20_000, inTurn), side('redis', 20_000, inTurn)];
    expect(stateOf(alike, name)?.state).toBe('ok');
    const results = [side('redis', 20_000, inTurn), side('redis', 20_000, { ...inTurn, ...changes })];
    expect(stateOf(results, name)?.state).toBe(state);
  });

  test('the number of servers is compared if one side is a cluster', () => {
    const of = (masters: number | null) => {
      const { target, ...rest } = side('redis', 1, inTurn);
      return { ...rest, target: { ...target, detected: { ...target.detected, masters } } };
    };
    const stateOfServers = (...results: Result[]) => stateOf(results, 'number of servers')?.state;
    expect(stateOfServers(of(null), side('redis', 1, inTurn))).toBeUndefined();
    expect(stateOfServers(of(3), of(3))).toBe('ok');
    expect(stateOfServers(of(3), side('redis', 1, inTurn))).toBe('not ok');
  });

  test('the texts of files are compared if there are any', () => {
    const workload = { script: 'a.mjs' };
    const of = (sha256: string, file = 'a.mjs', key = 'workload.script') =>
      side('redis', 1, { files: [{ key, file, sha256 }], config: { ...config, workload } });
    const older = side('redis', 1, { config: { ...config, workload } });
    const stateOfFiles = (...results: Result[]) => stateOf(results, 'files of the workload')?.state;
    expect(stateOfFiles(side('redis', 1), side('redis', 1))).toBeUndefined();
    expect(stateOfFiles(of('ab'), of('ab', 'b.mjs'))).toBe('ok');
    expect(stateOfFiles(of('ab'), of('cd'))).toBe('not ok');
    expect(stateOfFiles(of('ab'), of('ab', 'a.mjs', 'workload.replay'))).toBe('not ok');
    expect(stateOfFiles(of('ab'), side('redis', 1))).toBe('not ok');
    expect(stateOfFiles(of('ab'), older)).toBe('not ok');
  });

  test('agents are compared if there are any', () => {
    const agent = { name: 'a', node: 'v20', os: '', cpu: 'X', cores: 4, threads: 2, roundTripMs: null };
    const on = (...hosts: (typeof agent)[]) => side('redis', 1, { hosts });
    const stateOfAgents = (...results: Result[]) => stateOf(results, 'agents')?.state;
    expect(stateOfAgents(side('redis', 1), side('redis', 1))).toBeUndefined();
    expect(stateOfAgents(on(agent), on({ ...agent, name: 'b' }))).toBe('ok');
    expect(stateOfAgents(on(agent), on(agent, agent))).toBe('not ok');
    expect(stateOfAgents(on(agent), side('redis', 1))).toBe('not ok');
  });

  test('populations are compared if there are any', () => {
    const beside = (...populations: object[]) => side('redis', 1, { config: { ...config, populations } });
    const stateOfPopulations = (...results: Result[]) => stateOf(results, 'populations')?.state;
    expect(stateOfPopulations(side('redis', 1), beside())).toBeUndefined();
    expect(
      stateOfPopulations(beside({ name: 'bulk', workers: 1 }), beside({ workers: 1, name: 'bulk' })),
    ).toBe('ok');
    expect(stateOfPopulations(beside({ name: 'bulk' }), side('redis', 1))).toBe('not ok');
    // Versions before 0.12 do not have the key.
    const inThreadsOf = (sharesThreads: boolean) => beside({ name: 'bulk', sharesThreads });
    expect(stateOfPopulations(beside({ name: 'bulk' }), inThreadsOf(false))).toBe('ok');
    expect(stateOfPopulations(beside({ name: 'bulk' }), inThreadsOf(true))).toBe('not ok');
  });

  test('different numbers of server threads are fair if the config asks for them', () => {
    const swept = (threads: number, asked = threads) =>
      side('redis', 20_000, {
        ...inTurn,
        target: detected(threads),
        config: { ...config, target: { threads: [asked] } },
      });
    expect(stateOf([swept(1), swept(2)], 'server threads')?.state).toBe('ok');
    expect(stateOf([swept(1), swept(2, 4)], 'server threads')?.state).toBe('not ok');
  });

  test('a scenario that the client limits has a note', () => {
    const { scenarios, ...rest } = side('valkey', 20_000, inTurn);
    const [first, ...others] = scenarios;
    if (first === undefined) throw new Error('expected a scenario');
    const limited = {
      ...first,
      limitedBy: { resource: 'client', evidence: 'event loop 99 % busy' } as const,
    };
    const results = [side('redis', 20_000, inTurn), { ...rest, scenarios: [limited, ...others] }];
    const comparison = compareResults(results);
    expect(comparison.scenarios.map(({ notes }) => notes)).toEqual([
      [expect.stringContaining('client on valkey')],
      [],
    ]);
    expect(stateOf(results, 'client not saturated')).toMatchObject({ state: 'not ok' });
  });

  test('a side on which nothing completed has no ratio, and the loss is noted', () => {
    const silent = buildScenario(
      { workers: 10 },
      [1, 2].map(round => buildRound(round, 0, { issued: 8, unfinished: 8 })),
    );
    const { scenarios, ...rest } = side('valkey', 1, inTurn);
    for (const session of ['one', 'two']) {
      const other = { ...rest, session, scenarios: [silent, ...scenarios.slice(1)] };
      const [compared] = compareResults([side('redis', 20_000, inTurn), other]).scenarios;
      expect(compared?.sides[1]?.ratios).toMatchObject({
        throughput: null,
        responseP95: null,
        responseP99: null,
      });
      expect(compared?.notes).toContainEqual(expect.stringMatching(/^100 % .* valkey/));
      expect(compared?.notes).toContainEqual(expect.stringContaining('no ratio for valkey'));
    }
  });

  test('a window that was cut short makes no ratio', () => {
    const cut = (name: string, changes: Partial<Result>) => {
      const scenario = buildScenario({ workers: 10, limitedBy: unlimited }, [
        ...rounds(20_000),
        buildRound(7, 900_000, { seconds: 0.2 }),
      ]);
      return buildResult([scenario], { name, config, claims: [], ...changes });
    };
    for (const session of ['one', 'two']) {
      const [compared] = compareResults([
        side('redis', 20_000, inTurn),
        cut('valkey', { session }),
      ]).scenarios;
      expect(compared?.sides[1]?.ratios?.rounds).toBe(6);
      expect(compared?.sides[1]?.ratios?.throughput?.median).toBeCloseTo(1, 6);
    }
  });

  test('comparison.json keeps its schema, and text from outside stays text', () => {
    const evil = 'a\u001b[2J|<b>`*';
    const results = [
      side(evil, 20_000),
      side(evil, 20_000, { target: standInTarget }),
      side('c'.repeat(60), 15_000),
    ];
    const comparison = compareResults(results);
    expect(comparisonSchema.parse(JSON.parse(JSON.stringify(comparison)))).toEqual(comparison);
    expect(comparison.sides.map(({ name }) => name)).toEqual([evil, `${evil}-2`, 'c'.repeat(60)]);

    const terminal = onTerminal.comparison(comparison);
    expect(terminal).not.toContain('\u001b');
    expect(terminal.match(/STAND-IN: /g)).toHaveLength(2);
    for (const line of terminal.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const markdown = inMarkdown.comparison(comparison);
    for (const part of ['<b>', '\u001b']) expect(markdown).not.toContain(part);
    expect(markdown.match(/STAND-IN: /g)).toHaveLength(2);
    expect(onTerminal.comparison(comparison, true)).toContain('\u001b[');
  });
});

describe('a result of an earlier version', () => {
  function workloadOf(workload: object): unknown {
    const config = { name: 'c', target: { server: 'redis', url: 'redis://h' }, scenarios: [{}], workload };
    return parseConfig(JSON.stringify(config), 'c.json').workload;
  }

  const side = (name: string, workload: unknown) => ({ name, workload, scenarios: ['one'] });
  /** As version 0.2 wrote it. */
  const old = side('old', { keys: 10_000, valueBytes: 32, readShare: 0.5 });

  test('without the keys of later versions equals one that has their defaults', () => {
    expect(whyNotComparable([old, side('new', workloadOf({}))])).toBeNull();
    expect(whyNotComparable([side('new', workloadOf({})), old])).toBeNull();
  });

  test.each([
    [
      { keyChoice: { kind: 'zipfian' } },
      'keyChoice none in old and {"kind":"zipfian","exponent":0.99} in new',
    ],
    [{ hitShare: 0.9 }, 'hitShare none in old and 0.9 in new'],
    [{ ycsb: 'A' }, 'readShare 0.5 in old and none in new, ycsb none in old and A in new'],
    [{ valueContent: { kind: 'compressible' } }, 'valueContent none in old'],
    [{ commands: [{ command: 'PING' }] }, 'commands none in old and [{"command":"PING","weight":1}] in new'],
  ])('does not equal one with %j', (workload, difference) => {
    const reason = whyNotComparable([old, side('new', workloadOf(workload))]);
    expect(reason).toContain(difference);
  });

  test('has a config that reads as what it was', () => {
    for (const workload of [{}, { ycsb: 'B' }, { commands: [{ command: 'INCR {key}' }], hitShare: 0.5 }]) {
      const once = workloadOf(workload);
      expect(workloadOf(JSON.parse(JSON.stringify(once)))).toEqual(once);
    }
  });

  test('of 0.1, which does not say how it connects, has the same pool with a lock', () => {
    const scenario = buildScenario({ pool: 'baseline', minIdle: 0, healthTtlMs: 0, connects: 'serial' }, [
      buildRound(1, 100),
    ]);
    const latest = buildResult([scenario]);
    const earlier = { ...latest, scenarios: [{ ...scenario, connects: undefined }] };
    expect(
      compareResults([latest, resultSchema.parse(JSON.parse(JSON.stringify(earlier)))]).scenarios,
    ).toHaveLength(1);
  });
});
