import { readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { connectObserver } from './support/observed-server.ts';
import { readFiles } from './support/read-files.ts';
import {
  certificates,
  startRedis,
  startRedisOnSocket,
  startRedisWithTls,
  type TestServer,
} from './support/servers.ts';

const password = 's3cret/w:th@odd#characters';
/** How it may look in a URL, in JSON, or cut in two; any of these would give it away. */
const traces = /s3cret|w:th|w%3Ath|odd#char|odd%23char/i;
const login = `bench:${encodeURIComponent(password)}@`;
/** One user with that password; the default user has another. */
const args = ['--user', 'bench', 'on', `>${password}`, '~*', '&*', '+@all', '--requirepass', 'another'];

/** The server, and the URL with login and database, as a user writes it and as it may be shown. */
const ways: [string, () => Promise<TestServer>, (url: string, login: string) => string][] = [
  [
    'redis://user:password@host/db',
    () => startRedis({ args }),
    (url, who) => `${url.replace('//', `//${who}`)}/1`,
  ],
  [
    'rediss://user:password@host/db',
    () => startRedisWithTls({ args }),
    (url, who) => `${url.replace('//', `//${who}`)}/2`,
  ],
  [
    'unix://user:password@/path?db=N',
    () => startRedisOnSocket({ args }),
    (url, who) => `${url.replace('//', `//${who}`)}?db=3`,
  ],
];

test.each(ways)(
  '%s works with both clients, and the password is nowhere to be seen',
  async (_, start, write) => {
    const server = await start();
    onTestFinished(() => server.stop());
    const url = write(server.url, login);
    const experiment = await createExperiment(url, {
      scenarios: [{ client: ['ioredis', 'wire'], workers: 4, pools: 2, pipeline: [1, 5] }],
      seconds: 0.1,
    });
    const { code, stdout, stderr } = await experiment.run([], {
      env: url.startsWith('rediss:') ? { NODE_EXTRA_CA_CERTS: certificates.ca } : {},
    });
    expect(code, stderr).toBe(0);
    const result = await experiment.result();
    expect(result.target.declared.url).toBe(write(server.url, 'bench@'));
    const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
    expect(rounds).toHaveLength(4);
    for (const round of rounds) {
      expect(round.completed).toBeGreaterThan(0);
      expect(round).toMatchObject({ failed: {}, unfinished: 0, misses: 0, serverCalls: round.completed });
    }

    // What was written to another database than the URL's would still be there.
    const tls = url.startsWith('rediss:') ? { tls: { ca: await readFile(certificates.ca) } } : {};
    const redis = await connectObserver(server.url.replace('unix://', ''), {
      ...tls,
      username: 'bench',
      password,
    });
    expect((await redis.info('keyspace')).trim()).toBe('# Keyspace');

    const files = Object.values(await readFiles(await experiment.resultsFolder()));
    expect(files.length).toBeGreaterThan(2);
    for (const text of [stdout, stderr, ...files]) expect(text).not.toMatch(traces);
    // The traces are such that they would be found.
    expect(url).toMatch(traces);
  },
);
