import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../src/main/experiment/read-config.ts';
import { until } from '../support/connections.ts';
import { monitorLine } from '../support/monitor-lines.ts';
import { connectObserver } from '../support/observed-server.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { ofTest, shareServer, startRedis } from '../support/servers.ts';

async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('a server that requires a login is recorded, and the config that is written can be run', async () => {
  const server = await ofTest(startRedis({ args: ['--requirepass', 'secret'] }));
  const redis = await connectObserver(server.url, { password: 'secret' });
  const url = server.url.replace('://', '://:secret@');
  const out = join(await testFolder(), 'recording.json');
  // It ends with its connection, once the load is in it.
  const recording = runPoolbench(['record', url, '--seconds', '60', '--out', out]);
  let monitor: string | undefined;
  await until(async () => {
    monitor = /^id=(\d+) .* cmd=monitor /m.exec(String(await redis.client('LIST')))?.[1];
    return monitor !== undefined;
  });
  for (let key = 0; key < 20; key++) await redis.set(`private:${key}`, 'a value of 32 bytes, or as many');
  await redis.get('private:1');
  await redis.eval('return 1', 0);
  await redis.client('KILL', 'ID', Number(monitor));
  const recorded = await recording;
  expect(recorded.code, recorded.stderr).toBe(0);
  expect(recorded.stderr).toMatch(/MONITOR .* throughput/);
  expect(recorded.stderr).toMatch(/Left out: EVAL/);
  expect(await readFile(out, 'utf8')).not.toMatch(/private|secret|a value of/);
  const { workload, target } = await readConfig(out);
  expect(workload).toMatchObject({ valueBytes: 31 });
  expect(workload.commands.map(({ command }) => command).sort()).toEqual(['GET {key}', 'SET {key} {value}']);
  expect(target.url).toBe('redis://localhost:6379');

  await redis.flushall();
  const times = ['--rounds', '1', '--seconds', '0.1', '--warmup', '0'];
  const ran = await runPoolbench([out, '--url', url, ...times, '--out', join(out, '..', 'results')]);
  expect(ran.code, ran.stderr).toBe(0);

  const again = await runPoolbench(['record', url, '--out', out]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/already exists/) });
  const noFolder = await runPoolbench(['record', url, '--out', join(out, '..', 'none', 'a.json')]);
  expect(noFolder).toMatchObject({ code: 2, stderr: expect.not.stringMatching(/MONITOR/) });
  await redis.acl('SETUSER', 'default', '-monitor');
  const refused = await runPoolbench(['record', url, '--out', `${out}.2`]);
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringMatching(/refuses: NOPERM/) });
});

test('a recording is replayed in its order, and not with agents', async () => {
  const server = await shareServer();
  const redis = await connectObserver(server.url);
  const folder = await testFolder();
  const [text, config] = ['monitor.txt', 'mine.json'].map(name => join(folder, name)) as [string, string];
  const commands = Array.from({ length: 120 }, (_, index) =>
    index % 4 === 0 ? ['LPUSH', `private:${index % 7}`, 'secret'] : ['GET', `private:${index % 11}`],
  );
  // A worker for each of 20 clients: so many commands are sent, however late a busy machine is.
  const lines = commands.map((words, index) =>
    monitorLine(words, { at: 1_700_000_000 + index / 400, source: `127.0.0.1:${50_000 + (index % 20)}` }),
  );
  await writeFile(text, lines.join('\n'));
  const recorded = await runPoolbench(['record', text, '--literal', '--out', config]);
  expect(recorded.code, recorded.stderr).toBe(0);
  const replay = await readFile(join(folder, 'mine.replay'), 'utf8');
  expect(replay).not.toMatch(/private|secret/);
  // The head, both commands, and an empty line come first.
  expect(replay.trim().split('\n')).toHaveLength(4 + commands.length);
  const ran = await runPoolbench([
    config,
    '--url',
    server.url,
    // Without a warm-up a late thread counts all that is due, too.
    ...['--rounds', '1', '--warmup', '0'],
    '--out',
    join(folder, 'results'),
  ]);
  expect(ran.code, ran.stderr).toBe(0);
  const [run = ''] = await readdir(join(folder, 'results'));
  const result = await readFile(join(folder, 'results', run, 'result.json'), 'utf8');
  const { scenarios, files } = JSON.parse(result);
  expect(files).toMatchObject([{ key: 'workload.replay', recordedSeconds: 0.3 }]);
  expect(ran.stderr).toMatch(/recorded ×1 at 400\/s on average: the whole 0\.3 s recording/);
  expect(ran.stdout.replace(/\s+/g, ' ')).toMatch(
    /Measured in every round: ×1, the (whole 0\.3 s recording|0\.3 s recording 1\.\d+ times|first 0\.\d+ s of the 0\.3 s recording)\./,
  );
  expect(scenarios[0].arrival).toEqual({ kind: 'recorded', speed: 1, rate: 400 });
  expect(scenarios[0].rounds[0]).toMatchObject({ openLoop: { offered: 120, rate: 400 } });
  // The observer has sent neither; the keys are written by SET, and by RPUSH for lists.
  const stats = await redis.info('commandstats');
  const counts = ['get', 'lpush'].map(name =>
    Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1]),
  );
  // Each pool ends somewhere within its four commands.
  const [gets = 0, pushes = 0] = counts;
  expect(pushes).toBeGreaterThan(3);
  expect(Math.abs(gets - 3 * pushes)).toBeLessThanOrEqual(12);
  expect(await redis.dbsize()).toBe(0);
  const agents = await runPoolbench([config, '--agents', '1', '--control', server.url]);
  expect(agents).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/no workload\.replay with --agents/),
  });
});

test('a busy server is not recorded, and one that does not say how busy it is neither', async () => {
  const asked: string[] = [];
  let info = 'instantaneous_ops_per_sec:50000';
  const { port } = await startScriptedServer(([command = ''], reply) => {
    asked.push(command.toUpperCase());
    reply(/^info$/i.test(command) ? `$${info.length}\r\n${info}\r\n` : '+PONG\r\n');
  });
  const out = join(await testFolder(), 'recording.json');
  for (const found of [/found 50,000 commands per second; .*--force/, /does not report its rate/]) {
    const { code, stderr } = await runPoolbench(['record', `redis://127.0.0.1:${port}`, '--out', out]);
    expect(code, stderr).toBe(3);
    expect(stderr).toMatch(found);
    info = 'none:1';
  }
  expect(asked).not.toContain('MONITOR');
});

test('the output of redis-cli MONITOR is read from a file; other text is refused', async () => {
  const folder = await testFolder();
  const [good, bad] = ['good.txt', 'bad.txt'].map(name => join(folder, name)) as [string, string];
  const lines = [
    monitorLine(['SET', 'k\xff', '\x00\n']),
    monitorLine(['GET', 'k\xff'], { at: 1_700_000_001 }),
  ];
  await writeFile(good, `OK\n${lines.join('\n')}\n1700000002.5 [0 127.0.0.1:1] "GET" "cu`);
  await writeFile(bad, 'GET a\n');
  const out = join(folder, 'recording.json');
  const read = await runPoolbench(['record', good, '--out', out]);
  expect(read.code, read.stderr).toBe(0);
  expect(read.stderr).toMatch(/Ignored: 1 line/);
  expect((await readConfig(out)).workload).toMatchObject({ keys: 1, valueBytes: 2 });
  // In a process of its own: a shell makes a real pipe.
  const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
  const command = [process.execPath, cli, 'record', '/dev/stdin', '--out', `${out}.piped`];
  execFileSync('sh', ['-c', 'printf "%s" "$TEXT" | "$@"', 'sh', ...command], {
    env: { ...process.env, TEXT: lines.join('\n') },
    stdio: 'ignore',
  });
  expect((await readConfig(`${out}.piped`)).workload).toMatchObject({ keys: 1, valueBytes: 2 });
  const timed = await runPoolbench(['record', good, '--seconds', '1', '--out', `${out}.2`]);
  expect(timed).toMatchObject({ code: 2, stderr: expect.stringMatching(/no --seconds with a file/) });
  for (const [path, message] of [
    [bad, /output of redis-cli MONITOR/],
    [join(folder, 'none.txt'), /none\.txt: expected .*, found no such file$/m],
    [folder, /: expected .*, found a folder$/m],
  ] as const) {
    const { code, stderr } = await runPoolbench(['record', path, '--out', `${out}.2`]);
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(message);
  }
});
