import { expect, onTestFinished, test } from 'vitest';
import { connectControl } from '../../../src/main/server/control.ts';
import { preflight } from '../../../src/main/server/preflight.ts';
import { awaitReplicas } from '../../../src/main/server/replicas.ts';
import { loopback, patient, rejection, until } from '../../support/connections.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { startProxy } from '../../support/proxy.ts';
import { masterName, startSentinels } from '../../support/sentinels.ts';
import { startRedis } from '../../support/servers.ts';

async function controlOf(port: number) {
  const control = await connectControl(loopback(port), patient);
  onTestFinished(() => control.close());
  return control;
}

test('a load waits for replicas, and is told how far one is behind that does not catch up', async () => {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  onTestFinished(() => master.stop());
  const proxy = await startProxy(master.port);
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', String(proxy.port)] });
  onTestFinished(() => replica.stop());
  const redis = await connectObserver(master.url);
  await until(async () => /^slave0:.*state=online/m.test(await redis.info('replication')), 20);

  const [primary, copy] = await Promise.all([controlOf(master.port), controlOf(replica.port)]);
  const control = { findShards: async () => [{ primary, replicas: [copy] }] };
  await redis.set('key', 'text');
  expect(await awaitReplicas(control)).toBeUndefined();
  const observer = await connectObserver(replica.url);
  expect(await observer.get('key')).toBe('text');

  proxy.silent = true;
  await redis.set('key', 'another text');
  expect(await awaitReplicas(control, 50)).toMatch(
    new RegExp(`^127\\.0\\.0\\.1:${replica.port} \\([\\d,]+ bytes behind\\)$`),
  );
});

test('reads from replicas are refused before the load if a primary has none', async () => {
  const master = await startRedis();
  onTestFinished(() => master.stop());
  const { places } = await startSentinels(master.port);
  const address = loopback(Number(places[0]?.split(':')[1]), {
    sentinel: { master: masterName, others: [] },
  });
  const control = await connectControl(address, patient);
  onTestFinished(() => control.close());
  const needs = { connections: 1, sockets: 1, threads: 1, keys: 1, valueBytes: 1 };
  await preflight({ control }, needs, { force: false });
  const error = await rejection(preflight({ control }, { ...needs, readsReplicas: true }, { force: false }));
  expect(error).toMatchObject({ code: 'TARGET_NOT_AVAILABLE' });
  expect(error.message).toContain(`127.0.0.1:${master.port}`);
});
