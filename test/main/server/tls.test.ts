import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectControl } from '../../../src/main/server/control.ts';
import { targetAddress } from '../../../src/main/server/find-target.ts';
import {
  allClients,
  GET,
  openConnection,
  overRing,
  patient,
  rejection,
  SET,
  sendBatch,
} from '../../support/connections.ts';
import { createExperiment, unhurried } from '../../support/experiment.ts';
import { ownPort } from '../../support/ports.ts';
import {
  certificates,
  onFreePorts,
  otherCertificates,
  startRedis,
  type TestServer,
  tlsArguments,
} from '../../support/servers.ts';

const { ca } = certificates;
const ours = { cert: certificates.certificate, key: certificates.key };
const theirs = { cert: otherCertificates.certificate, key: otherCertificates.key };

interface TlsServer extends TestServer {
  readonly tlsUrl: string;
}

function startTls(args: (port: number) => string[]): Promise<TlsServer> {
  return onFreePorts(async () => {
    const port = await ownPort();
    const server = await startRedis({ args: args(port) });
    return { ...server, tlsUrl: `rediss://127.0.0.1:${port}` };
  });
}

/** One that any client may use; one that wants a certificate; one named otherwise than its host; one too late. */
let open: TlsServer;
let wanting: TlsServer;
let named: TlsServer;
let expired: TlsServer;

beforeAll(async () => {
  const { certificate, expired: late, key } = otherCertificates;
  [open, wanting, named, expired] = await Promise.all([
    startTls(port => tlsArguments(port)),
    startTls(port => [...tlsArguments(port), '--tls-auth-clients', 'yes']),
    startTls(port => tlsArguments(port, { certificate, key })),
    startTls(port => tlsArguments(port, { certificate: late, key })),
  ]);
});

afterAll(async () => {
  await Promise.all([open, wanting, named, expired].map(server => server?.stop()));
});

const keys = { ca: null, cert: null, key: null, servername: null, rejectUnauthorized: true };
const sentinel = { master: null, others: [], username: null, password: null };

function addressOf(url: string, tls: Partial<typeof keys> | Record<string, unknown>) {
  const target = {
    server: 'redis',
    url,
    threads: [],
    protocol: null,
    tls: { ...keys, ...tls },
    sentinel,
    keyPrefix: '',
    natMap: {},
    cluster: false,
  };
  return targetAddress(target as Parameters<typeof targetAddress>[0]);
}

const ways: [string, () => string, Record<string, unknown>][] = [
  ['an authority of our own', () => open.tlsUrl, { ca }],
  ['a certificate of our own', () => wanting.tlsUrl, { ca, ...ours }],
  ['another name', () => named.tlsUrl, { ca: otherCertificates.ca, servername: 'db.example' }],
  ['a host name', () => open.tlsUrl.replace('127.0.0.1', 'localhost'), { ca }],
  ['no check at all', () => expired.tlsUrl, { rejectUnauthorized: false }],
];

describe.each(ways)('%s', (_, url, tls) => {
  test.each(allClients.filter(client => client !== overRing))('%s', async client => {
    const connection = await openConnection(client, await addressOf(url(), tls));
    const outcome = await sendBatch(connection, [
      [SET, 1],
      [GET, 1],
    ]);
    expect(outcome).toMatchObject({ completed: 2, misses: 0, failures: {} });
  });

  test('the control connection', async () => {
    const control = await connectControl(await addressOf(url(), tls), patient);
    expect(await control.alive()).toBe(true);
    control.close();
  });
});

test.each([
  ['an unknown authority', () => open.tlsUrl, {}, 'unknown authority', 'set target.tls.ca'],
  [
    'a wrong authority',
    () => open.tlsUrl,
    { ca: otherCertificates.ca },
    'unknown authority',
    'target.tls.ca',
  ],
  [
    'an expired certificate',
    () => expired.tlsUrl,
    { ca: otherCertificates.ca },
    'expired',
    'CERT_HAS_EXPIRED',
  ],
  [
    'another host name',
    () => named.tlsUrl,
    { ca: otherCertificates.ca },
    'another name',
    'set target.tls.servername',
  ],
  [
    'another name than asked for',
    () => open.tlsUrl,
    { ca, servername: 'elsewhere.example' },
    'another name',
    'target.tls.servername',
  ],
  [
    'no certificate for a server that requires one',
    () => wanting.tlsUrl,
    { ca },
    'requires one',
    'set target.tls.cert and target.tls.key',
  ],
  [
    "a certificate that the server's authority has not signed",
    () => wanting.tlsUrl,
    { ca, ...theirs },
    'target.tls.cert',
    'the server trusts',
  ],
  [
    'TLS to a plain port',
    () => open.url.replace('redis:', 'rediss:'),
    { ca },
    'speaks plain Redis protocol',
    'use redis://',
  ],
  ['plain to a TLS port', () => open.tlsUrl.replace('rediss:', 'redis:'), {}, 'speaks TLS', 'use rediss://'],
] as [string, () => string, Record<string, unknown>, string, string][])(
  '%s: one message, for exit code 3',
  async (name, url, tls, found, advice) => {
    // A plain port answers a TLS greeting with silence: what gives up is the control connection's limit.
    const timeoutMs = name === 'TLS to a plain port' ? 500 : 5000;
    const error = await rejection(connectControl(await addressOf(url(), tls), { timeoutMs }));
    expect(error).toMatchObject({ code: 'TARGET_UNREACHABLE', exitCode: 3 });
    expect(error.message).not.toContain('\n');
    expect(error.message).toContain(found);
    expect(error.message).toContain(advice);
  },
);

test('a run that is not let in ends with that message', async () => {
  const target = { server: 'redis', url: wanting.tlsUrl, tls: { ca } };
  const { code, stdout, stderr } = await (await createExperiment('', { target })).run(['--quiet']);
  expect(stderr).toMatch(
    /^poolbench: expected the server at \S+ to accept a client without a certificate[^\n]+\n$/,
  );
  expect(code).toBe(3);
  expect(stdout).toBe('');
});

test('a run with a certificate of its own; without a check, every output says so, and none holds the key', async () => {
  const target = {
    server: 'redis',
    url: wanting.tlsUrl,
    tls: { ...ours, rejectUnauthorized: false },
  };
  const scenarios = [{ client: 'wire', workers: 4, ...unhurried }];
  const experiment = await createExperiment('', { target, scenarios, seconds: 0.2 });
  // Other tests have written there.
  const { code, stdout, stderr } = await experiment.run(['--force']);
  expect(code, stderr).toBe(0);
  const result = await experiment.result();
  for (const { rounds } of result.scenarios) {
    expect(rounds[0]).toMatchObject({ failed: {}, unfinished: 0, misses: 0 });
    expect(rounds[0]?.serverCalls).toBe(rounds[0]?.completed);
  }
  const warning = /certificate\s+is\s+not\s+checked\s+\(target\.tls\.rejectUnauthorized\s+is\s+false\)/;
  expect(stderr).toMatch(warning);
  expect(stdout).toMatch(warning);
  expect(result.warnings.join('\n')).toMatch(warning);
  expect(result.target.unverified).toBe(true);
  const report = await readFile(join(await experiment.resultsFolder(), 'report.md'), 'utf8');
  expect(stderr).toMatch(/^NOT VERIFIED: /m);
  for (const text of [stdout, report]) expect(text.match(/NOT VERIFIED: /g)).toHaveLength(2);
  expect(result.config.target).toMatchObject({ tls: { key: ours.key } });
  expect(JSON.stringify(result)).not.toMatch('-----BEGIN');
});
