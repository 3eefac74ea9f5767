import { expect, onTestFinished, test } from 'vitest';
import { workload } from '../../../src/main/experiment/workload.ts';
import { findReadReplicas, readCalls } from '../../../src/main/run/read-replicas.ts';
import { type ReadReplicas, serverCount } from '../../../src/main/run/server-figures.ts';
import { connectControl } from '../../../src/main/server/control.ts';
import { loopback, patient } from '../../support/connections.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { shareServer } from '../../support/servers.ts';

const loadFrom = (readFrom: 'primary' | 'replica') => ({
  scenario: { readFrom },
  bench: { experiment: { workload: workload.parse({ commands: [{ command: 'GET {key}' }] }) } },
});

test('what replicas have read is not known if the replicas are not', async () => {
  const redis = await shareServer();
  const control = await connectControl(loopback(redis.port), patient);
  onTestFinished(() => control.close());
  const silent = { findShards: () => Promise.reject(new Error('silent')) };
  expect(await findReadReplicas(silent, [loadFrom('primary')])).toBeUndefined();
  const alone = await findReadReplicas(control, [loadFrom('primary'), loadFrom('replica')]);
  const unknown = await findReadReplicas(silent, [loadFrom('replica')]);
  expect([alone?.nodes, unknown?.nodes]).toEqual([[], null]);

  const observer = await connectObserver(redis.url);
  await observer.get('key');
  const countsOf = async (replicas: ReadReplicas | undefined) => {
    const count = await serverCount(control, replicas);
    return replicas && readCalls([{ statName: 'get' }], replicas, of => of(count));
  };
  expect(await countsOf(alone)).toEqual({ all: 1, ofReplicas: 0 });
  expect(await countsOf(unknown)).toBeNull();
  // What is not read there is counted all the same.
  expect((await serverCount(control, unknown)).calls(['set'])).toBe(0);
});
