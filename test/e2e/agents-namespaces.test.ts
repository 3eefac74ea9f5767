import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { until } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';

const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
const hub = `pb${process.pid}hub`;
const [controlPort, targetPort] = [7001, 7002];
const hubAddress = '10.213.7.1';
/** The tests' own PATH has none of the programs that this needs. */
const environment = { ...process.env, PATH: inject('usersPath') };

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: 'pipe', env: environment });
}

/** Whether this user may make network namespaces, and clocks of their own. */
function canIsolate(): boolean {
  try {
    ip('netns', 'add', hub);
    ip('netns', 'delete', hub);
    execFileSync('unshare', ['--time', '--fork', '--monotonic', '1000', 'true'], {
      ...{ stdio: 'pipe', env: environment },
    });
    return true;
  } catch {
    return false;
  }
}

/** A host of its own, with an address on the bridge of the hub. */
function addHost(name: string, number: number): void {
  const link = `pb${number}`;
  ip('netns', 'add', name);
  onTestFinished(() => ip('netns', 'delete', name));
  ip('-n', hub, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  ip('-n', hub, 'link', 'set', link, 'master', 'bridge', 'up');
  ip('-n', name, 'address', 'add', `10.213.7.${10 + number}/24`, 'dev', 'eth0');
  for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up');
}

function start(namespace: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  });
  return child;
}

/** Resolves once a process has written this. */
async function said(child: ChildProcess, stream: 'stdout' | 'stderr', text: string): Promise<void> {
  let output = '';
  child[stream]?.setEncoding('utf8').on('data', more => {
    output += more;
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} before "${text}": ${output}`);
    return output.includes(text);
  }, 20);
}

test.skipIf(!canIsolate())(
  'agents on hosts with clocks of their own start together, and every operation is accounted for',
  async () => {
    ip('netns', 'add', hub);
    onTestFinished(() => ip('netns', 'delete', hub));
    ip('-n', hub, 'link', 'add', 'bridge', 'type', 'bridge');
    ip('-n', hub, 'address', 'add', `${hubAddress}/24`, 'dev', 'bridge');
    for (const device of ['lo', 'bridge']) ip('-n', hub, 'link', 'set', device, 'up');
    const redis = inject('servers').redis;
    for (const port of [controlPort, targetPort]) {
      const words = `--port ${port} --bind 0.0.0.0 --protected-mode no --save`.split(' ');
      await said(start(hub, [redis.path, ...words, ''], redis.env), 'stdout', 'Ready to accept');
    }

    const control = `redis://${hubAddress}:${controlPort}`;
    const target = `${hubAddress}:${targetPort}`;
    const env = { POOLBENCH_CONTROL: control };
    const names = ['a', 'b'];
    const waiting = names.map(async (name, index) => {
      addHost(`${hub}${name}`, index);
      const clock = [
        'unshare',
        '--time',
        '--fork',
        '--kill-child',
        '--monotonic',
        String(100_000 * (index + 1)),
      ];
      const words = ['agent', '--allow-target', target, '--name', name, '--threads', '4'];
      const agent = start(`${hub}${name}`, [...clock, process.execPath, cli, ...words], env);
      await said(agent, 'stderr', 'waits at');
    });
    await Promise.all(waiting);

    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const config = join(folder, 'config.json');
    await writeFile(
      config,
      JSON.stringify({
        name: 'hosts',
        target: { server: 'redis', url: `redis://${target}` },
        workload: { keys: 300 },
        scenarios: [
          { client: 'wire', workers: 6, hosts: 1 },
          { client: 'wire', workers: 6, pools: 2, arrival: { kind: 'burst', rate: 600, size: 30 } },
        ],
        ...{ rounds: 1, seconds: 0.2, warmupSeconds: 0.1 },
      }),
    );
    const run = start(
      hub,
      [process.execPath, cli, config, '--out', join(folder, 'results'), '--agents', '2'],
      env,
    );
    let output = '';
    for (const stream of [run.stdout, run.stderr])
      stream?.setEncoding('utf8').on('data', text => {
        output += text;
      });
    const [code] = await once(run, 'close');
    expect(code, output).toBe(0);

    const [only = ''] = await readdir(join(folder, 'results'));
    const text = await readFile(join(folder, 'results', only, 'result.json'), 'utf8');
    const { scenarios, hosts } = resultSchema.parse(JSON.parse(text));
    expect(hosts?.map(({ name }) => name).toSorted()).toEqual(names);
    for (const round of scenarios.flatMap(({ rounds }) => rounds)) {
      const histogram = decodeHistogram(round.histograms.service);
      expect(histogram.totalCount).toBe(round.completed);
      histogram.destroy();
      expect(round.serverCalls).toBe(round.completed);
      // A thread without a core begins its window late, and has less of the schedule.
      if (round.openLoop !== null) expect(round.openLoop.offered).toBeLessThanOrEqual(120);
      for (const { clockBoundMs, leadMs, startLagMs } of round.hosts ?? []) {
        // Their clocks differ by days, which none of it shows.
        expect(clockBoundMs).toBeLessThan(20);
        expect(leadMs).toBeGreaterThan(0);
        expect(leadMs).toBeLessThan(1000);
        expect(startLagMs).toBeLessThan(1000);
      }
    }
  },
);
