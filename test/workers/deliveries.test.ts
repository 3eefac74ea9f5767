import { expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../../src/main/server/control.ts';
import { nowNs } from '../../src/pool/clock.ts';
import type { SharedState } from '../../src/workers/shared-state.ts';
import { loopback, patient, until } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { plainWorkload } from '../support/plain-workload.ts';
import { shareServer } from '../support/servers.ts';
import { accounted, runOne, stopAfter } from '../support/threads.ts';

const server = await shareServer();

const channels = 4;
const workload = {
  ...plainWorkload({ keys: channels, valueBytes: 16, readShare: 0 }),
  // In order, so that it is known how many messages each channel has.
  keyChoice: { kind: 'sequential' },
  commands: [{ command: 'PUBLISH {key} {value}', weight: 1 }],
  apart: true,
} as const;

test.each(['wire', 'ioredis'] as const)(
  'every subscriber of a channel hears what %s publishes',
  async client => {
    const task = {
      client,
      pools: [{ keys: channels }],
      pipeline: 4,
      workload: { ...workload, subscribers: 6 },
      seconds: 10,
    };
    const sample = await runOne(server.port, task, stopAfter(400));
    expect(accounted(sample)).toBe(sample.issued);
    // Two channels have two subscribers, the others one.
    expect(sample.deliveries).toMatchObject({
      subscribers: 6,
      closed: 0,
      expected: 1.5 * sample.completed,
      received: 1.5 * sample.completed,
    });
    const latency = decodeHistogram(sample.deliveries?.latency ?? '');
    onTestFinished(() => latency.destroy());
    expect(latency.totalCount).toBe(sample.deliveries?.received);
    expect(latency.minNonZeroValue).toBeGreaterThan(1000);
  },
);

test('messages of both kinds are heard, and the warm-up is left out', async () => {
  const commands = ['PUBLISH {key} {value}', 'SPUBLISH {key} {counter}', 'GET {key}'];
  const task = {
    pools: [{ keys: channels }],
    workload: {
      ...workload,
      commands: commands.map(command => ({ command, weight: 1 })),
      subscribers: 2,
    },
    warmupSeconds: 0.05,
    warmUntil: (shared: SharedState) => shared.progress(0).warmupCompleted > 0,
    seconds: 10,
  };
  const sample = await runOne(server.port, task, stopAfter(100));
  const published = sample.commands
    .filter(({ name }) => name !== 'GET')
    .reduce((sum, { completed }) => sum + completed, 0);
  expect(sample.warmupCompleted).toBeGreaterThan(0);
  const { expected = 0, received } = sample.deliveries ?? {};
  // An operation belongs to the window in which it was due, a message to that in which it was sent.
  expect(Math.abs(expected - published)).toBeLessThanOrEqual(4);
  expect(received).toBe(expected);
});

test('messages to subscribers whose connection is lost are lost', async () => {
  const control = await connectControl(loopback(server.port), patient);
  onTestFinished(() => control.close());
  const task = { pools: [{ keys: channels }], workload: { ...workload, subscribers: 3 }, seconds: 30 };
  const sample = await runOne(server.port, task, async shared => {
    const more = async () => {
      const { completed } = shared.progress(0);
      await until(() => shared.progress(0).completed > completed + 100);
    };
    await more();
    await control.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await more();
    shared.stop(nowNs());
  });
  const { closed, expected = 0, received = 0 } = sample.deliveries ?? {};
  expect(closed).toBe(3);
  expect(received).toBeGreaterThan(0);
  expect(received).toBeLessThan(expected);
});
