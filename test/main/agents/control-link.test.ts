import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ControlLink } from '../../../src/main/agents/control-link.ts';
import { nowNs } from '../../../src/pool/clock.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { startProxy } from '../../support/proxy.ts';
import { startRedis, type TestServer } from '../../support/servers.ts';

let control: TestServer;

beforeAll(async () => {
  control = await startRedis();
});
afterAll(() => control.stop());

async function openLink(port = control.port): Promise<ControlLink> {
  const link = await ControlLink.open(`redis://127.0.0.1:${port}`);
  onTestFinished(() => link.close());
  return link;
}

test('the bound holds the true offset, if the way up takes 2 ms and the way down 18 ms', async () => {
  const proxy = await startProxy(control.port);
  proxy.admission = pass => void setTimeout(pass, 2);
  proxy.delayMs = 18;
  const [near, far] = [await openLink(), await openLink(proxy.port)];
  const before = await near.readClock();
  const clock = await far.readClock();
  const instant = nowNs();
  const offMicros = Math.abs(clock.toControl(instant) - before.toControl(instant));
  // Half of the difference, which no number of exchanges shows.
  expect(offMicros).toBeGreaterThan(4000);
  expect(offMicros).toBeLessThanOrEqual(clock.boundMicros + before.boundMicros);
  expect(clock.boundMicros).toBeGreaterThan(9000);
});

test('a message that is longer than a server passes on comes whole, and leaves nothing behind', async () => {
  const [from, to] = [await openLink(), await openLink()];
  const received: string[] = [];
  const channel = 'poolbench:run:x:0';
  await to.subscribe(channel, text => received.push(text));
  const long = { text: 'é'.repeat(2 ** 20) };
  expect(await from.publish(channel, long)).toBe(1);
  await expect.poll(() => received.length).toBe(1);
  expect(received[0] === JSON.stringify(long)).toBe(true);
  expect(await (await connectObserver(control.url)).keys('*')).toEqual([]);
});

test('only a letter is read from a key', async () => {
  const [from, to] = [await openLink(), await openLink()];
  const received: string[] = [];
  await to.subscribe('poolbench:run:y:0', text => received.push(text));
  await from.redis.set('session:1', 'of others');
  await from.redis.publish('poolbench:run:y:0', 'session:1');
  await expect.poll(() => received).toEqual(['session:1']);
  expect(await from.redis.get('session:1')).toBe('of others');
});
