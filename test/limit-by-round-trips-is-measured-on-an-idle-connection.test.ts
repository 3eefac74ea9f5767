import { expect, onTestFinished, test } from 'vitest';
import { baseRoundTripMs } from '../src/main/run/server-figures.ts';
import { connectControl } from '../src/main/server/control.ts';
import { loopback } from './support/connections.ts';
import { startProxy } from './support/proxy.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { startRedis } from './support/servers.ts';

async function controlOf(port: number) {
  const control = await connectControl(loopback(port), { timeoutMs: 500 });
  onTestFinished(() => control.close());
  return control;
}

/** Answers PINGs after the first, which belongs to the login, as `answer` says; counts them. */
async function startPonger(answer: (ping: number, reply: (bytes: string) => void) => void) {
  const seen = { pings: -1 };
  const { port } = await startScriptedServer(([command], reply) => {
    if (command?.toUpperCase() !== 'PING') reply('+OK\r\n');
    else if (++seen.pings === 0) reply('+PONG\r\n');
    else answer(seen.pings, reply);
  });
  return { port, seen };
}

test('it is the delay of the way to the server and back', async () => {
  const server = await startRedis();
  onTestFinished(server.stop);
  const proxy = await startProxy(server.port);
  const control = await controlOf(proxy.port);
  proxy.delayMs = 30;
  const ms = await baseRoundTripMs(control);
  expect(ms).toBeGreaterThanOrEqual(29);
  expect(ms).toBeLessThan(500);
});

test('a few that are late do not decide, and twenty are enough', async () => {
  const { port, seen } = await startPonger((ping, reply) => {
    if (ping === 2) setTimeout(() => reply('+PONG\r\n'), 60);
    else reply('+PONG\r\n');
  });
  expect(await baseRoundTripMs(await controlOf(port))).toBeLessThan(30);
  expect(seen.pings).toBeLessThanOrEqual(20);
});

test('a server that takes longer than a tenth of a second is asked once', async () => {
  const { port, seen } = await startPonger((_, reply) => setTimeout(() => reply('+PONG\r\n'), 120));
  expect(await baseRoundTripMs(await controlOf(port))).toBeGreaterThanOrEqual(119);
  expect(seen.pings).toBe(1);
});

test('a PING that is refused has made the trip', async () => {
  const { port } = await startPonger((_, reply) => reply('-NOPERM no\r\n'));
  expect(await baseRoundTripMs(await controlOf(port))).toBeGreaterThan(0);
});

test('null when none is answered', async () => {
  const { port } = await startPonger(() => {});
  expect(await baseRoundTripMs(await controlOf(port))).toBeNull();
});
