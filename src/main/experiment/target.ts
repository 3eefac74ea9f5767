import { isIP } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { oneOf, readable, section, wholeNumber } from '../../aggregate/scenario/schema-parts.ts';
import { declarable } from '../server/servers.ts';
import { parseAddress, urlMeant } from '../server/url.ts';
import { rules } from './rules.ts';

const text = (error: string) => z.string({ error }).min(1, { error }).nullable().default(null);
const file = (what: string) => text(`the path of a PEM file with ${what}`);
const hostName = 'a host name (an IP address needs no servername)';

/** The keys of `target.tls`. Paths are relative to the config's folder. */
export const tls = section({
  ca: file('certificates').meta({
    description:
      "PEM file with the certificates of the authorities to trust, relative to the config's folder; null: the system's",
  }),
  cert: file('the client certificate').meta({
    description: 'PEM file with the client certificate, for a server that requires one',
  }),
  key: file('the private key of target.tls.cert').meta({
    description: 'PEM file with the private key of the client certificate, without a passphrase',
  }),
  servername: z
    .string({ error: hostName })
    .refine(name => name !== '' && isIP(name) === 0, { error: hostName })
    .nullable()
    .default(null)
    .meta({
      description: "Host name that the server's certificate must contain, if it is not the host of the URL",
    }),
  rejectUnauthorized: z
    .boolean({ error: 'true or false' })
    .default(true)
    .meta({ description: "false: the server's certificate is not verified, and every output says so" }),
}).meta({ description: 'TLS certificates, and whether they are verified; only with rediss://' });

const place = 'host:port of a Sentinel, such as "10.0.0.2:26379"';

/** The keys of `target.sentinel`: the name of the master, and how to ask for it. */
const sentinel = section({
  master: text('the name by which the Sentinels know the master, such as "mymaster"').meta({
    description:
      'Name of the master; target.url is then the URL of a Sentinel, with the login and database of the master',
  }),
  others: z
    .array(z.string({ error: place }).refine(isPlace, { error: place }), {
      error: 'a list of further Sentinels',
    })
    .default([])
    .meta({ description: 'Other Sentinels, asked in turn if the one in the URL has no answer' }),
  username: text('the user name for the Sentinels').meta({
    description: 'User name for the Sentinels, if they require a login',
  }),
  password: text('the password for the Sentinels').meta({
    description: "Password for the Sentinels, which may differ from the master's; results do not contain it",
  }),
}).meta({ description: 'Sentinels that are asked for the target before every connection attempt' });

const keyPrefixWords = 'up to 64 letters, digits, "_", ".", ":" and "-", such as "myapp:"';
const nodeWords = 'host:port of a node, such as "127.0.0.1:7001"';
const serverThreads = wholeNumber(1, 128);

/** The keys of `target`: the server under test, its address, and how to connect to it. */
export const target = section({
  server: oneOf(declarable).meta({
    description: 'The server that the experiment is about; any: any server at the URL',
  }),
  url: readable('a URL such as "redis://localhost:6379/0"', parseAddress, urlMeant).meta({
    description:
      'URL of the server: redis://, rediss:// (TLS) or unix:///path, or valkey:// and valkeys://; user:password@ and a database index such as /0 are optional',
  }),
  threads: z
    .union([serverThreads, z.array(serverThreads)])
    .transform(value => [...new Set(Array.isArray(value) ? value : [value])])
    .prefault([])
    .meta({
      description:
        "Threads of a server that poolbench starts; several numbers are compared, each on its own server; empty: the server's default",
      unit: 'server threads',
    }),
  protocol: z.literal([2, 3], { error: '2 or 3' }).nullable().default(null).meta({
    description: 'RESP version of the load; null: 3, or 2 if the server does not support 3',
  }),
  tls: tls.prefault({}),
  sentinel: sentinel.prefault({}),
  keyPrefix: z
    .string({ error: keyPrefixWords })
    .regex(/^[\w.:-]{0,64}$/, { error: keyPrefixWords })
    .default('')
    .meta({
      description:
        'Prefix for the names of all keys, before poolbench:<seed>:, for a user who may only use keys such as myapp:*',
    }),
  natMap: z
    .record(z.string(), z.string({ error: nodeWords }).refine(isPlace, { error: nodeWords }), {
      error: 'announced addresses, each with the one at which that node is reached',
    })
    .default({})
    .meta({
      description:
        'For cluster nodes whose announced addresses cannot be reached: announced host:port, reachable host:port',
    }),
  cluster: z.boolean({ error: 'true or false' }).default(false).meta({
    description:
      'Whether the URL names a node of a Redis Cluster; all masters of the cluster are then the target',
  }),
})
  .check(
    rules(
      ({ url, cluster }, refuse) => {
        const { path, database } = parseAddress(url);
        if (cluster && (path !== undefined || database !== 0))
          refuse(['url'], 'redis:// or rediss:// and database 0, as target.cluster is true', url);
      },
      ({ natMap, cluster }, refuse) => {
        if (Object.keys(natMap).length > 0 && !cluster)
          refuse(['natMap'], 'none, as target.cluster is false', natMap);
      },
      ({ url, tls }, refuse) => {
        const usesTls = Object.values(tls).some(key => key !== null && key !== true);
        if (usesTls && !parseAddress(url).tls) refuse(['url'], 'rediss://, as target.tls is set', url);
      },
      ({ tls: { cert, key } }, refuse) => {
        if (cert !== null && key === null)
          refuse(['tls', 'key'], 'the key that belongs to target.tls.cert', undefined);
        if (key !== null && cert === null)
          refuse(['tls', 'cert'], 'the certificate that belongs to target.tls.key', undefined);
      },
      ({ sentinel: { master, others, username, password } }, refuse) => {
        const isNamed = others.length > 0 || username !== null || password !== null;
        if (isNamed && master === null) refuse(['sentinel', 'master'], 'the name of the master', undefined);
      },
      ({ sentinel: { username, password } }, refuse) => {
        if (username !== null && password === null)
          refuse(['sentinel', 'password'], 'the password of target.sentinel.username', undefined);
      },
      ({ url, sentinel }, refuse) => {
        if (sentinel.master !== null && /^unix:/i.test(url))
          refuse(['url'], 'the redis:// or rediss:// URL of a Sentinel, as target.sentinel is set', url);
      },
      ({ cluster, sentinel }, refuse) => {
        if (sentinel.master !== null && cluster)
          refuse(['cluster'], 'false, as target.sentinel is set: a cluster has no Sentinels', cluster);
      },
      ({ threads, sentinel }, refuse) => {
        if (sentinel.master !== null && threads.length > 0)
          refuse(['threads'], 'none, as poolbench does not start a server that a Sentinel names', threads);
      },
    ),
  )
  .meta({ description: 'The server under test' });

type Target = z.output<typeof target>;

/** What replaces a password in results. */
export const hiddenPassword = '***';

/** The target for display and results, without passwords. `url` is the URL without its password. */
export function withoutPasswords(declared: Target, url: string): Target {
  const { sentinel } = declared;
  return {
    ...declared,
    url,
    sentinel: { ...sentinel, password: sentinel.password === null ? null : hiddenPassword },
  };
}

/** Its files as seen from here: a config names them relative to its own folder. */
export function locateTlsFiles(tls: Target['tls'], configPath: string): Target['tls'] {
  const locate = (file: string | null): string | null =>
    file === null || isAbsolute(file) ? file : join(dirname(configPath), file);
  return { ...tls, ca: locate(tls.ca), cert: locate(tls.cert), key: locate(tls.key) };
}

function isPlace(value: string): boolean {
  if (!/^[^@/?#\s]+$/.test(value)) return false;
  try {
    parseAddress(`redis://${value}`);
    return true;
  } catch {
    return false;
  }
}
