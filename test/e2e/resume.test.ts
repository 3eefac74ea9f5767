import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type Result, resultSchema } from '../../src/aggregate/result.ts';
import { replaceFile } from '../../src/main/run/results/results-folder.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startProxy } from '../support/proxy.ts';
import { ofTest, shareServer, startRedis, startValkey } from '../support/servers.ts';

describe('killed run is gone on with', () => {
  const ofRounds = ({ scenarios }: Result) => scenarios.map(({ rounds }) => rounds.map(({ round }) => round));

  test('kill -9 leaves all finished rounds; --resume keeps them, does the rest, and says so', async () => {
    const server = await ofTest(startRedis());
    const redis = await connectObserver(server.url);
    // Through this process: while it has no core, and does not see how far the run is, the run gets no further.
    const { port } = await startProxy(server.port);
    const experiment = await createExperiment(`redis://127.0.0.1:${port}`, {
      scenarios: [{ client: 'wire', workers: [2, 4, 6], ...unhurried }],
      rounds: 4,
      seconds: 0.1,
      seed: 7,
    });
    const running = experiment.start([], { ownProcess: true });
    await running.said('round 3/4  1/3');
    running.kill('SIGKILL');
    const killed = await running.outcome;
    expect(killed.signal).toBe('SIGKILL');
    const folder = await experiment.resultsFolder();
    const left = await experiment.result();
    expect(left.complete).toBe(false);
    expect(ofRounds(left)).toEqual(Array(3).fill([1, 2]));
    expect(await redis.exists('poolbench:7:claim')).toBe(1);

    const resume = (...args: string[]) => runPoolbench(['run', '--resume', folder, ...args]);
    const resumed = await resume();
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toMatch('Resumed: 2 rounds');
    expect(resumed.stderr).toMatch(/^Removed 200 keys under poolbench:7: /m);
    expect(resumed.stdout).toMatch(/Warning: .*2 finished rounds/);
    const order = (stderr: string) =>
      [...stderr.matchAll(/^round (\d\/4 +\d\/3) .* (\S+)$/gm)].map(m => m.slice(1));
    // The third round is begun anew, in its own order.
    expect(order(resumed.stderr).map(([place]) => place?.[0])).toEqual(['3', '3', '3', '4', '4', '4']);
    const begun = order(killed.stderr).slice(6);
    expect(begun.length).toBeGreaterThan(0);
    expect(order(resumed.stderr).slice(0, begun.length)).toEqual(begun);

    const whole = await experiment.result();
    expect(whole).toMatchObject({ complete: true, startedAt: left.startedAt, seed: 7, config: left.config });
    expect(ofRounds(whole)).toEqual(Array(3).fill([1, 2, 3, 4]));
    for (const [index, { rounds }] of whole.scenarios.entries()) {
      expect(rounds.slice(0, 2)).toEqual(left.scenarios[index]?.rounds);
      for (const round of rounds) expect(round.serverCalls).toBe(round.completed);
    }
    expect(whole.resumed).toEqual([
      { at: expect.stringMatching(/^\d{4}-/), afterRounds: 2, gapSeconds: expect.any(Number) },
    ]);
    const kept = left.serverSeries?.points ?? [];
    expect(kept.length).toBeGreaterThan(0);
    expect(whole.serverSeries?.points.slice(0, kept.length)).toEqual(kept);
    expect(whole.serverSeries?.points.length).toBeGreaterThan(kept.length);
    expect(await redis.dbsize()).toBe(0);

    const calls = await redis.info('commandstats');
    const again = await resume('--quiet');
    expect(again).toMatchObject({ code: 0, stdout: resumed.stdout });
    expect(again.stderr).toMatch(/^.+\n$/);
    expect(/cmdstat_get:calls=\d+/.exec(await redis.info('commandstats'))?.[0]).toBe(
      /cmdstat_get:calls=\d+/.exec(calls)?.[0],
    );

    // JSON cannot shout.
    const unverified = { ...whole, target: { ...whole.target, unverified: true } };
    await writeFile(join(folder, 'result.json'), JSON.stringify(unverified));
    const json = await resume('--json');
    expect(json.stderr).toMatch(/^NOT VERIFIED: /m);
    expect(resultSchema.parse(JSON.parse(json.stdout))).toEqual(unverified);

    // What cannot belong to it is refused, before any load.
    await writeFile(join(folder, 'result.json'), JSON.stringify({ ...whole, complete: false }));
    const refusals: [string[], RegExp][] = [
      [['--rounds', '9'], /--rounds.*--resume/],
      [['config.json'], /CONFIG.*--resume.*config\.json/],
      [['--url', 'redis://127.0.0.1:1'], /redis at redis:\/\/127\.0\.0\.1:1/],
    ];
    for (const [args, message] of refusals) {
      const { code, stderr } = await resume(...args);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    }
    await server.stop();
    await ofTest(startValkey({ port: server.port }));
    const other = await resume();
    expect(other.stderr).toMatch(/^poolbench: .*redis \d.*valkey \d.*\n$/);
    expect(other.code).toBe(2);
    const side = { ...whole, complete: false, session: 'a' };
    await writeFile(join(folder, 'result.json'), JSON.stringify(side));
    expect(await resume()).toMatchObject({ code: 2, stderr: expect.stringMatching(/^poolbench: .+\n$/) });
  });
});

describe('full disk leaves the last good result', () => {
  const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

  test('a file that cannot be written whole leaves the one before it, is said, and ends the run with 2', async () => {
    const server = await shareServer();
    const experiment = await createExperiment(server.url, {
      scenarios: [{ client: 'wire', workers: [3, 4], ...unhurried }],
      rounds: 6,
    });
    // No file may be larger than this many blocks of 512 bytes, which a result of several rounds is: a disk that is full
    // in the middle of a file. Without the trap the system would end whoever tries.
    const limited = `trap '' XFSZ; ulimit -f 100; exec "$@"`;
    const out = join(experiment.folder, 'results');
    const args = [process.execPath, cli, 'run', experiment.configPath, '--out', out];
    const child = spawn('sh', ['-c', limited, 'sh', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    const [code] = await once(child, 'close');

    expect(code, output.stderr).toBe(2);
    expect(output.stderr).toMatch(/^warning: .*ulimit -f/m);
    expect(output.stderr).toMatch(/^poolbench: .*ulimit -f/m);
    expect(output.stderr).not.toMatch(/^\s+at |defect/m);
    // Neither result.json nor anything behind it was written in the end.
    expect(output.stderr).not.toMatch(/^Written/m);
    // What was measured is printed all the same.
    expect(output.stdout).toMatch(/e2e, measured on redis/);
    expect(output.stdout).toMatch(/Warning: [^\n]*(\n.*)?results/);
    const folder = await experiment.resultsFolder();
    expect((await readdir(folder)).filter(name => name.endsWith('.part'))).toEqual([]);
    const { complete, scenarios } = await experiment.result();
    expect(complete).toBe(false);
    const [first] = scenarios;
    expect(first?.rounds.length).toBeGreaterThanOrEqual(1);
    expect(first?.rounds.length).toBeLessThan(6);
    for (const { rounds } of scenarios) expect(rounds).toHaveLength(first?.rounds.length ?? 0);
    expect(await (await connectObserver(server.url)).dbsize()).toBe(0);
  });

  test('what lies where a file is being written is replaced, never written through', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const [file, victim] = [join(folder, 'report.md'), join(folder, 'victim')];
    await writeFile(victim, 'precious');
    await symlink(victim, `${file}.part`);
    await replaceFile(file, 'first');
    await writeFile(`${file}.part`, 'half a fi');
    await replaceFile(file, 'second');
    expect(await readFile(file, 'utf8')).toBe('second');
    expect(await readFile(victim, 'utf8')).toBe('precious');
    expect((await readdir(folder)).sort()).toEqual(['report.md', 'victim']);
  });
});
