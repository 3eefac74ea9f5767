import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { claims } from '../../../src/aggregate/claims/claims.ts';
import { questionsOf } from '../../../src/aggregate/questions.ts';
import { parseCommandLine } from '../../../src/main/cli/command-line.ts';
import { removeControls } from '../../../src/main/experiment/blocks.ts';
import { planRun, secondsAtMost } from '../../../src/main/experiment/plan.ts';
import { readConfig } from '../../../src/main/experiment/read-config.ts';
import { allSuites, describeCold, planSuites, suitesOf } from '../../../src/main/run/claims/plan-suites.ts';
import { readTarget } from '../../../src/main/run/claims/target-argument.ts';
import { claimsOfOneServer, judge, measureSuite } from '../../support/claim-arms.ts';
import { rejection } from '../../support/connections.ts';
import { runPoolbench } from '../../support/poolbench.ts';
import { buildResult, buildRound, standInTarget } from '../../support/result-builder.ts';

/** Brings out the claims about two servers, which are judged where the servers are the limit. */
const busyServer = {
  ...buildRound(0, 1).cpu,
  eventLoopUtilization: [0.6],
  serverCores: 1,
  serverMainThreadCores: 0.98,
};

describe('suite whose client is not installed', () => {
  test('it is left out, and says why', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-suites-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const config = join(folder, 'absent.json');
    const target = { server: 'any', url: 'redis://localhost' };
    const scenarios = [{ client: ['ioredis', './absent.mjs'] }];
    await writeFile(config, JSON.stringify({ name: 'absent', target, scenarios }));
    const suite = { name: 'absent', config, claims: [], opponents: null };
    const [planned] = await planSuites([suite], await readTarget('redis'), {});
    expect(planned?.shown).toMatchObject({
      state: 'impossible',
      note: expect.stringMatching(/^It cannot be measured here: .* \.\/absent\.mjs at /),
    });
  });
});

describe('every claim has its suite', () => {
  const claim = (id: string, suite: string) => ({ id, statement: '', predicted: '', suite });

  test('the suites are those of the claims, in their order, but that of two servers comes last', () => {
    const suites = suitesOf([claim('C1', 'b'), claim('C9', 'versus'), claim('C2', 'a'), claim('C3', 'b')]);
    expect(suites.map(({ name, claims }) => [name, claims.map(({ id }) => id)])).toEqual([
      ['b', ['C1', 'C3']],
      ['a', ['C2']],
      ['versus', ['C9']],
    ]);
    expect(suites.map(({ opponents }) => opponents !== null)).toEqual([false, false, true]);
  });

  test('every claim has a suite that can be read, and every suite of configs/claims a claim', async () => {
    const plan = await planSuites(allSuites, await readTarget('redis'), {});
    expect(plan.flatMap(suite => suite.claims).length).toBe(claims.length);
    const files = readdirSync(new URL('../../../configs/claims', import.meta.url)).filter(file =>
      file.endsWith('.json'),
    );
    expect(files.sort()).toEqual(plan.map(({ name }) => `${name}.json`).sort());
    for (const { name, plan: run, estimatedSeconds, shown } of plan) {
      expect(shown.rounds, name).toBeGreaterThanOrEqual(10);
      expect(estimatedSeconds, name).toBeGreaterThan(0);
      for (const { experiment } of run.sides) expect(experiment.target.server, name).not.toBe('any');
    }
  });

  const servers = async (typed: string) => {
    const [versus] = (await planSuites(allSuites, await readTarget(typed), {})).filter(
      ({ opponents }) => opponents !== null,
    );
    return [
      versus?.plan.sides.map(({ experiment }) => experiment.target.server),
      versus?.own,
      versus?.shown.state,
    ];
  };

  test('two servers: Redis first, and the target beside it', async () => {
    expect(await servers('redis')).toEqual([['redis', 'valkey'], 0, 'not run']);
    expect(await servers('valkey')).toEqual([['redis', 'valkey'], 1, 'not run']);
    expect(await servers('dragonfly')).toEqual([['redis', 'dragonfly'], 1, 'not run']);
    expect(await servers('redis://localhost:7000')).toEqual([[], -1, 'impossible']);
  });

  test('on a cluster, suites that take a single server are impossible, with the reason', async () => {
    const redis = await readTarget('redis');
    const cluster = { ...redis, target: { ...redis.target, cluster: true } };
    const plan = await planSuites(allSuites, cluster, {});
    const impossible = plan.filter(({ shown }) => shown.state === 'impossible');
    expect(impossible.map(({ name }) => name)).toContain('health-interval');
    for (const { shown, plan: run } of impossible) {
      expect(shown.note).toMatch(/ as target\.cluster is true .*\.$/);
      expect(run.sides).toEqual([]);
    }
    expect(impossible.length).toBeLessThan(plan.length);
  });

  test('on agents, suites of a client that they do not have or of silent cuts are left out, and say why', async () => {
    const plan = await planSuites(allSuites, await readTarget('redis'), {}, { onAgents: true });
    const impossible = plan.filter(({ shown }) => shown.state === 'impossible');
    expect(impossible.map(({ name, plan: run }) => [name, run.sides])).toEqual([
      ['health-interval', []],
      ['clients', []],
    ]);
    expect(impossible[0]?.shown.note).toMatch(/silent cuts.*; leave out --agents/);
    expect(impossible[1]?.shown.note).toMatch(/found node-redis; leave out --agents/);
  });

  test('every suite is run against the target, with what the command line says', async () => {
    const settings = { rounds: '6', seconds: '0.7', warmup: '0.1', seed: '9' };
    const plan = await planSuites(allSuites, await readTarget('rediss://me:s3cret@host:7000/2'), settings);
    for (const { name, plan: run, shown } of plan) {
      expect(JSON.stringify(shown), name).not.toMatch('s3cret');
      for (const { experiment } of run.sides) {
        expect(experiment.target, name).toMatchObject({
          server: 'any',
          url: 'rediss://me:s3cret@host:7000/2',
        });
        expect(experiment, name).toMatchObject({ rounds: { atLeast: 6, atMost: 6 }, seed: 9 });
      }
    }
    const warm = plan.find(({ name }) => name === 'pipeline');
    expect(warm?.shown.command).toBe(
      'npm start -- configs/claims/pipeline.json --url rediss://me@host:7000/2 --rounds 6 --seconds 0.7 --warmup 0.1 --seed 9',
    );
    expect(warm?.plan.sides[0]?.experiment.warmupSeconds).toBe(0.1);
    expect(warm?.plan.sides[0]?.experiment.seconds).toBe(0.7);
  });

  test('what measures a cold start keeps its times, and says so', async () => {
    const target = await readTarget('redis');
    const asConfigured = await planSuites(allSuites, target, {});
    const settings = { rounds: '6', seconds: '0.7', warmup: '0.1' };
    const plan = await planSuites(allSuites, target, settings);
    const cold = asConfigured.filter(({ shown }) => shown.warmupSeconds === 0).map(({ name }) => name);
    expect(cold).toContain('warming');
    for (const name of cold) {
      const shownIn = (suites: typeof plan) => suites.find(suite => suite.name === name)?.shown;
      const { seconds, warmupSeconds } = shownIn(asConfigured) ?? {};
      expect(shownIn(plan)).toMatchObject({ seconds, warmupSeconds, rounds: 6 });
      expect(shownIn(plan)?.command).toMatch(/ --rounds 6$/);
    }
    const said = describeCold(plan, settings);
    expect(said).toMatch(/^Not changed by --seconds and --warmup, because these suites measure a cold start/);
    for (const name of cold) expect(said).toContain(name);
    expect(describeCold(plan, { seconds: '0.7' })).toMatch(/^Not changed by --seconds,/);
    expect(describeCold(plan, { rounds: '6' })).toBeNull();
  });

  test('every suite of one server has a command that runs it alone; that of two has none', async () => {
    const plan = await planSuites(allSuites, await readTarget('valkey'), {});
    for (const { shown, opponents } of plan) {
      if (opponents !== null) expect(shown.command).toBeNull();
      else
        expect(shown.command).toBe(
          `npm start -- configs/claims/${shown.name}.json --target configs/valkey.json`,
        );
    }
  });
});

describe('every suite has the arms of its claim', () => {
  /** Claims that never prolong their suite. */
  const neverAsked: readonly string[] = [
    // It stands beside C1, whose suite this is.
    'C20',
  ];

  describe.each(claimsOfOneServer.map(({ id, suite }) => ({ id, suite })))(
    '$id, suite $suite',
    ({ id, suite }) => {
      test('has figures for the claim', async () => {
        const claim = judge(id, await measureSuite(suite, () => ({})));
        expect(claim.verdict).not.toBe('not tested');
        expect(claim.comparisons.length + (claim.measured === null ? 0 : 1)).toBeGreaterThan(0);
      });

      test('is inconclusive with five rounds', async () => {
        expect(judge(id, await measureSuite(suite, () => ({}), 5)).verdict).toBe('inconclusive');
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
    },
  );

  test('however long their claims stay open, each ends within its budget, and all of them within an hour', async () => {
    const suites = await planSuites(allSuites, await readTarget('redis'), {});
    // Of `versus` with both servers. A suite whose number of rounds is open ends with its budget.
    for (const { name, plan } of suites)
      expect(secondsAtMost(plan), name).toBeLessThanOrEqual(plan.budgetSeconds);
    expect(suites.reduce((sum, { plan }) => sum + secondsAtMost(plan), 0)).toBeLessThan(3600);
  });

  test.each(claims.map(({ id, suite }) => ({ id, suite })))(
    '$id asks suite $suite for rounds, because what it compares lies in one block',
    async ({ id, suite }) => {
      const servers = suite === 'versus' ? ['redis', id === 'C10' ? 'dragonfly' : 'valkey'] : ['redis'];
      // A round is enough to choose the arms that are judged, and too few for a flaw.
      const scenarios = await measureSuite(suite, () => ({ round: { cpu: busyServer } }), 1);
      const { target, environment } = buildResult([], { claims: [] });
      const sides = servers.map(server => {
        const found = { ...target, detected: { ...target.detected, server } };
        return { environment, target: found, scenarios };
      });
      const experiment = await readConfig(`configs/claims/${suite}.json`);
      const blocks = removeControls(planRun([experiment]).blocks).map(({ elements }) =>
        elements.flat().flatMap(scenario => sides.map((_, side) => ({ side, id: scenario.id }))),
      );
      const labels = questionsOf(sides, blocks).map(({ label }) => label);
      expect(
        labels.some(label => label.startsWith(`${id},`)),
        labels.join('\n'),
      ).toBe(!neverAsked.includes(id));
    },
  );

  test.each([
    // 29,000 and more on the machine of the kept ledgers, whose tails scatter less with more rounds than with longer windows.
    ['tails', 100, 25_000],
    ['reconnect', 50, 14_000],
    ['low-latency', 10, 14_000],
  ])(
    '%s has windows of about 500 cycles of %i workers where %i operations a second complete',
    async (suite, workers, opsPerSecond) => {
      const { seconds } = await readConfig(`configs/claims/${suite}.json`);
      expect((opsPerSecond * seconds) / workers).toBeGreaterThan(480);
    },
  );
});

describe('claims refuse what they cannot run', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    await writeFile(
      join(folder, 'threads.json'),
      JSON.stringify({
        name: 'threads',
        target: { server: 'redis', url: 'redis://127.0.0.1:1', threads: [1, 2] },
        scenarios: [{ workers: 4 }],
      }),
    );
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each<[string, string[], RegExp]>([
    ['an unknown name', ['reddis'], /reddis.*\bredis\b.*dragonfly, redis, .*valkey\b/],
    ['several numbers of threads', ['threads.json'], /target\.threads.*1, 2/],
  ])('%s: one message, and 2', async (_, args, message) => {
    // From any folder: the package's own configs are found.
    const { code, stdout, stderr } = await runPoolbench(['claims', ...args], { cwd: folder });
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at |defect/m);
    expect(stdout).toBe('');
    expect(await readdir(folder)).toEqual(['threads.json']);
  });

  test.each<[string, string[], RegExp]>([
    ['no target', [], /claims TARGET/],
    ['two targets', ['redis', 'valkey'], /TARGET.*redis valkey/],
    ['a config that is not there', ['./nowhere.json'], /\.\/nowhere\.json/],
    ['a URL of something else', ['http://me:s3cret@h'], /target\.url.*redis:\/\//],
    ['--quick', ['redis', '--quick'], /claims.*--quick/],
    ['a setting out of range', ['redis', '--rounds', '0'], /--rounds.*from 1 to 1000/],
  ])('%s', async (_, args, message) => {
    const run = async () => {
      const line = parseCommandLine(['claims', ...args, '--out', folder]);
      if ('run' in line) await line.run();
    };
    const refused = await rejection(run());
    expect(refused).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) });
    expect(refused.message).not.toContain('s3cret');
    expect(await readdir(folder)).toEqual(['threads.json']);
  });

  test('a target that is not there, and cannot be started', async () => {
    const { code, stderr } = await runPoolbench(['claims', 'rediss://127.0.0.1:1', '--seconds', '0.05'], {
      cwd: folder,
    });
    expect(code, stderr).toBe(3);
    expect(stderr).not.toMatch(/To resume|defect/);
    expect(await readdir(join(folder, 'results'))).toEqual([]);
  });
});
