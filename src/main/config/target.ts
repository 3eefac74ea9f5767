import { z } from 'zod';
import { isOutOfRange, oneOf, section, wholeNumber } from '../../aggregate/schema-parts.ts';
import { declarable } from '../target/server-process.ts';
import { parseAddress } from '../target/url.ts';
import { sentinel } from './sentinel.ts';
import { tls } from './tls.ts';

const serverThreads = wholeNumber(1, 128);

/** The keys of `target`: what the server under test is, where it is, and how to connect to it. */
export const target = section({
  server: oneOf(declarable).meta({
    description: 'The server that the experiment is about; any: whatever answers at the URL',
  }),
  url: z
    .string({ error: 'a URL such as "redis://localhost:6379/0"' })
    .check(({ value, issues }) => {
      try {
        parseAddress(value);
      } catch (error) {
        const expected = (error as Error).message.replace(/^expected /, '');
        issues.push({ code: 'custom', params: { expected }, input: value });
      }
    })
    .meta({
      description:
        'Where it is: redis://, rediss:// (TLS) or unix:///path; user:password@ and a database index as /0 are optional',
    }),
  threads: z
    .union([serverThreads, z.array(serverThreads)])
    .transform(value => [...new Set(Array.isArray(value) ? value : [value])])
    .prefault([])
    .meta({
      description:
        "Threads that the server serves clients with, where poolbench starts it; several are compared; none: the server's own default",
      unit: 'server threads',
    }),
  protocol: z.literal([2, 3], { error: '2 or 3' }).nullable().default(null).meta({
    description: 'RESP version that the load speaks; null: 3, or 2 where the server knows no other',
  }),
  tls: tls.prefault({}),
  sentinel: sentinel.prefault({}),
  cluster: z
    .boolean({ error: 'true or false' })
    .default(false)
    .meta({ description: 'Whether the URL names a node of a cluster, all masters of which are the target' }),
})
  .check(({ value, issues }) => {
    if (issues.some(isOutOfRange)) return;
    const fault = (path: string[], expected: string, input: unknown) =>
      issues.push({ code: 'custom', params: { expected }, path, input });
    const { url, threads, tls, sentinel, cluster } = value;
    const { path, database } = parseAddress(url);
    if (cluster && (path !== undefined || database !== 0))
      fault(['url'], 'redis:// or rediss:// and database 0, as target.cluster is true', url);
    const usesTls = Object.values(tls).some(key => key !== null && key !== true);
    if (usesTls && !/^rediss:/i.test(url)) fault(['url'], 'rediss://, as target.tls is set', url);
    if (tls.cert !== null && tls.key === null)
      fault(['tls', 'key'], 'the key that belongs to target.tls.cert', undefined);
    if (tls.key !== null && tls.cert === null)
      fault(['tls', 'cert'], 'the certificate that belongs to target.tls.key', undefined);

    const { master, others, username, password } = sentinel;
    const named = others.length > 0 || username !== null || password !== null;
    if (named && master === null) fault(['sentinel', 'master'], 'the name of the master', undefined);
    if (username !== null && password === null)
      fault(['sentinel', 'password'], 'the password of target.sentinel.username', undefined);
    if (master === null) return;
    if (/^unix:/i.test(url))
      fault(['url'], 'redis:// or rediss:// and the place of a Sentinel, as target.sentinel is set', url);
    if (cluster) fault(['cluster'], 'false, as target.sentinel is set: a cluster has no Sentinels', cluster);
    if (threads.length > 0)
      fault(['threads'], 'none, as poolbench does not start what a Sentinel names', threads);
  })
  .meta({ description: 'The server under test' });

type Target = z.output<typeof target>;

/** What stands for a password in results. */
export const hiddenPassword = '***';

/** As it may be shown and written: without passwords. `url` is the URL without its own. */
export function withoutPasswords(declared: Target, url: string): Target {
  const { sentinel } = declared;
  return {
    ...declared,
    url,
    sentinel: { ...sentinel, password: sentinel.password === null ? null : hiddenPassword },
  };
}
