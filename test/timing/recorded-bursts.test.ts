import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseConfig } from '../../src/main/experiment/read-config.ts';
import { fitRecording } from '../../src/main/experiment/recording/fit-recording.ts';
import { literalReplay } from '../../src/main/experiment/recording/literal-replay.ts';
import { linesOf, parseMonitorLine } from '../../src/main/experiment/recording/monitor-text.ts';
import { expandScenarios } from '../../src/main/experiment/scenarios.ts';
import { openLoopOf, splitOverThreads } from '../../src/main/experiment/split.ts';
import { workloadTask } from '../../src/main/experiment/workload.ts';
import { recordMonitor } from '../../src/main/server/monitor.ts';
import { parseAddress } from '../../src/main/server/url.ts';
import { type Running, startBothServers } from '../support/both-servers.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { plainWorkload } from '../support/plain-workload.ts';
import { prefill } from '../support/prefill.ts';
import { type PlainSample, runOne } from '../support/threads.ts';
import { measureUndisturbed } from '../support/undisturbed.ts';

const keys = 24;
const running = startBothServers();

interface Recorded {
  readonly text: string;
  readonly sample: PlainSample;
}

/** The generator had its core: bursts began when they were due. */
function isPunctual(recordings: readonly Recorded[]): boolean {
  return recordings.every(({ sample }) => {
    const lag = decodeHistogram(sample.openLoop?.lag ?? '');
    const lateMs = lag.getValueAtPercentile(90) / 1e6;
    lag.destroy();
    return lateMs < 5;
  });
}

test('recorded bursts, replayed at twice the speed, are half as far apart in a second recording', async context => {
  const { server, control } = running.get('redis') as Running;
  const keyPrefix = 'bursts:';
  const plain = plainWorkload({ keys, valueBytes: 16, readShare: 0.5 });
  const space = { prefix: keyPrefix, keys, token: 't', claimed: false, warnings: [] };
  await prefill(control, space, { seed: 1, workload: plain });
  const address = parseAddress(server.url);
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  /** The text of MONITOR during a load, and the sample of the load. */
  const record = async (load: Parameters<typeof runOne>[1]): Promise<Recorded> => {
    const { signal } = new AbortController();
    const recording = recordMonitor(address, { seconds: 80, commands: 1e6, bytes: 2 ** 28 }, signal);
    while (!String(await control.call('CLIENT', 'LIST')).includes('cmd=monitor'));
    const sample = await runOne(server.port, { keyPrefix, ...load });
    // The server ends it, behind the last command.
    await control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    return { text: (await recording).text, sample };
  };
  // 50 at once, every 0.2 s.
  const arrivals = { kind: 'burst', rate: 250, size: 50 } as const;
  const measure = async (): Promise<[Recorded, Recorded]> => {
    const first = await record({
      pools: [{ workers: 10, connections: 10, keys }],
      workload: plain,
      openLoop: { arrivals, pools: 1, firstPool: 0 },
      seconds: 0.7,
    });
    const fitted = fitRecording(first.text);
    if (fitted === undefined) throw new Error('nothing to replay');
    const { config, text } = literalReplay(fitted, 'a.replay', 2);
    const [group] = config.scenarios;
    await writeFile(join(folder, 'a.replay'), text);
    const replayed = { ...config, scenarios: [{ ...group, pools: 2, client: 'wire' }] };
    const experiment = parseConfig(JSON.stringify(replayed), join(folder, 'config.json'));
    const [scenario] = expandScenarios(experiment.scenarios);
    if (scenario === undefined) throw new Error('expected a scenario');
    const workload = workloadTask(experiment.workload);
    const second = await record({
      pools: splitOverThreads({ ...scenario, poolsPerThread: 2, threads: 1 }, workload.keys)[0] ?? [],
      workload,
      openLoop: openLoopOf(scenario, 0),
      seconds: experiment.seconds,
    });
    return [first, second];
  };
  const [first, second] = await measureUndisturbed(context, measure, isPunctual);
  const operations = 200;
  expect(first.sample.completed).toBe(operations);
  expect(Math.abs(second.sample.seconds - 0.4)).toBeLessThan(0.1);
  expect(second.sample.failed).toEqual({});
  expect([second.sample.openLoop?.offered, second.sample.completed]).toEqual([operations, operations]);
  const instants = instantsOf(first.text).map(ms => ms / 2);
  const again = instantsOf(second.text);
  expect([instants.length, again.length]).toEqual([operations, operations]);
  // It is half as long and mostly silent: an even load would never be silent.
  for (const all of [instants, again]) expect(silentRatio(all)).toBeGreaterThan(0.5);
  // An even load would be as near to the bursts in only a fifth of its time.
  const near = again.filter(ms => instants.some(other => Math.abs(ms - other) < 10));
  expect(near.length / operations).toBeGreaterThan(0.7);
});

/** When the operations of a load ran, in milliseconds from the first one. */
function instantsOf(text: string): number[] {
  const ats = [...linesOf(text)].flatMap(line => {
    const command = parseMonitorLine(line);
    return command !== undefined && /^(GET|SET)$/.test(command.words[0] ?? '') ? [command.at * 1000] : [];
  });
  return ats.map(at => at - (ats[0] ?? 0));
}

/** Fraction of the time in gaps of 20 ms or more, in which nothing ran. */
function silentRatio(instants: readonly number[]): number {
  const gaps = instants.slice(1).map((ms, index) => ms - (instants[index] ?? 0));
  const silent = gaps.filter(gap => gap >= 20).reduce((sum, gap) => sum + gap, 0);
  return silent / (instants.at(-1) ?? 1);
}
