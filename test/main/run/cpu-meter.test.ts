import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { CpuMeter } from '../../../src/main/run/cpu-meter.ts';
import { serverTimes } from '../../../src/main/run/server-figures.ts';
import { connectControl, parseInfo } from '../../../src/main/server/control.ts';
import { commandStats, ioThreadsSpin } from '../../../src/main/server/server-info.ts';
import { nowNs } from '../../../src/pool/clock.ts';
import { loopback, patient } from '../../support/connections.ts';
import { machineTree, procStat } from '../../support/machine-tree.ts';
import { shareServer } from '../../support/servers.ts';

/** Measures a window in which the server runs GETs and a script of this many turns, which it ran before, too. */
async function measure(root?: string, turns = 1e6) {
  const { port } = await shareServer();
  const control = await connectControl(loopback(port), patient);
  onTestFinished(() => control.close());
  const detected = { server: 'redis', version: '7.0.15', threads: 1 } as never;
  const meter = new CpuMeter({ control, detected, local: true }, root);
  await control.call('EVAL', 'for i = 1, 1e6 do end', 0);
  const startNs = nowNs() + 20e6;
  // It is cut short: then no load on this machine can make the second reading come before what it is to see.
  meter.schedule(startNs, startNs + 60e9);
  await sleep(60);
  for (let call = 0; call < 5; call++) await control.call('GET', 'nothing');
  await control.call('EVAL', `for i = 1, ${turns} do end`, 0);
  const measured = await meter.stop();
  if (measured === null) throw new Error('nothing was scheduled');
  return measured;
}

test("the server's own time per call is that of the window, and the threads of a server beside poolbench are known if the system shows them", async context => {
  // About 50 ms: the system counts in hundredths of a second.
  const { serverTimes: timeOf, ...measured } = await measure(undefined, 1e7);
  expect(timeOf(['get'])).toBeGreaterThanOrEqual(0);
  expect(timeOf(['get'])).toBeLessThan(10_000);
  expect(timeOf(['eval'])).toBeGreaterThan(1000);
  expect(timeOf(['mget'])).toBeNull();

  const { serverFullestThread, serverCores, cpuSets, link, throttling } = measured;
  expect(serverCores).toBeGreaterThan(0);
  expect(link).toBeNull();
  if (throttling !== null) expect(throttling?.periods).toBeGreaterThanOrEqual(0);
  // A sandbox may hide the process.
  if (serverFullestThread == null || cpuSets == null) return context.skip('the system hides it');
  expect(serverFullestThread.cores).toBeGreaterThan(0);
  expect(cpuSets.client.cpus).toBeLessThanOrEqual(cpuSets.machine);
});

test('a machine whose counters are zeros is not told, and a machine that hides them is not either', async context => {
  if (process.platform !== 'linux') return context.skip('elsewhere Node tells them');
  const zeros = machineTree({
    'proc/stat': procStat([
      { busy: 0, idle: 0 },
      { busy: 0, idle: 0 },
    ]),
    'sys/devices/system/cpu/online': '0-1',
    'proc/self/status': 'Cpus_allowed_list:\t0',
  });
  const ofZeros = await measure(zeros.root);
  expect(ofZeros).toMatchObject({ machineBusyShare: null, throttling: null, serverFullestThread: null });
  expect(ofZeros.cpuSets).toEqual({
    machine: 2,
    client: { cpus: 1, busyShare: null },
    both: { cpus: 2, busyShare: null },
  });
  expect(ofZeros.clientCores).toBeGreaterThan(0);
  expect(await measure(machineTree({}).root)).toMatchObject({ machineBusyShare: null, cpuSets: null });
});

const countsOf = (...lines: readonly string[]) => commandStats(parseInfo(lines.join('\n')));

test('time a call is over all masters, and over the commands that were asked for', () => {
  const first = {
    before: countsOf('cmdstat_get:calls=10,usec=100'),
    after: countsOf(
      'cmdstat_get:calls=20,usec=120',
      'cmdstat_set:calls=5,usec=50',
      'cmdstat_ping:calls=9,usec=900',
    ),
  };
  const second = {
    before: countsOf('cmdstat_GET:calls=1,usec=1'),
    after: countsOf('cmdstat_GET:calls=6,usec=11'),
  };
  expect(serverTimes([first])(['get'])).toBe(2);
  expect(serverTimes([first, second])(['get', 'set', 'set'])).toBe(4);
});

test('no time is told by a server that does not count it, was started again, or was not read', () => {
  const after = countsOf('cmdstat_get:calls=20,usec=120');
  expect(serverTimes([{ before: null, after }])(['get'])).toBeNull();
  expect(serverTimes([{ before: after, after }])(['get'])).toBeNull();
  expect(serverTimes([{ before: countsOf('cmdstat_get:calls=30,usec=1'), after }])(['get'])).toBeNull();
  expect(serverTimes([{ before: countsOf(), after: countsOf('cmdstat_get:calls=20') }])(['get'])).toBeNull();
  expect(serverTimes([])(['get'])).toBeNull();
});

test('io-threads spin in Valkey and in Redis before 8', () => {
  const spins = (server: 'redis' | 'valkey' | 'dragonfly', version: string, threads: number | null) =>
    ioThreadsSpin({ server, version, threads });
  expect([spins('redis', '7.0.15', 4), spins('valkey', '8.0.1', 2)]).toEqual([true, true]);
  expect([spins('redis', '8.2.0', 4), spins('redis', '7.0.15', 1), spins('dragonfly', '1.40.1', 4)]).toEqual([
    ...[false, false, false],
  ]);
});
