import { expect, test } from 'vitest';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { withoutPasswords } from '../src/main/experiment/target.ts';
import { faultsIn } from './support/config-faults.ts';

function read(target: Record<string, unknown>) {
  const config = { name: 'a', target: { server: 'redis', ...target }, scenarios: [{}] };
  return parseConfig(JSON.stringify(config), 'a.json').target;
}

function faultsOf(target: Record<string, unknown>): string[] {
  try {
    read(target);
    return [];
  } catch (error) {
    return faultsIn((error as Error).message);
  }
}

const tls = 'rediss://h';
const plain = 'redis://h';

test.each([
  ['TLS keys', { url: tls, tls: { ca: 'ca.crt', cert: 'c.crt', key: 'c.key', servername: 'db.example' } }],
  ['a scheme in capitals', { url: 'REDISS://h', tls: { ca: 'ca.crt' } }],
  ['no check of the certificate', { url: tls, tls: { rejectUnauthorized: false } }],
  ['TLS at its defaults on a plain URL', { url: plain, tls: { ca: null, rejectUnauthorized: true } }],
  ['RESP2', { url: plain, protocol: 2 }],
  ['a Sentinel', { url: plain, sentinel: { master: 'mymaster' } }],
  [
    'several Sentinels with a login, in TLS',
    {
      url: tls,
      tls: { ca: 'ca.crt' },
      sentinel: { master: 'm', others: ['b:26380', '[::1]:26381', 'c'], username: 'u', password: 'p' },
    },
  ],
])('%s: fine', (_, target) => {
  expect(faultsOf(target)).toEqual([]);
});

test.each([
  [
    { url: plain, tls: { ca: 'ca.crt' } },
    'target.url: expected rediss://, as target.tls is set, found "redis://h"',
  ],
  [
    { url: 'unix:///s', tls: { rejectUnauthorized: false } },
    'target.url: expected rediss://, as target.tls is set, found "unix:///s"',
  ],
  [
    { url: tls, tls: { cert: 'c.crt' } },
    'target.tls.key: missing; expected the key that belongs to target.tls.cert',
  ],
  [
    { url: tls, tls: { key: 'c.key' } },
    'target.tls.cert: missing; expected the certificate that belongs to target.tls.key',
  ],
  [{ url: tls, tls: { ca: 7 } }, 'target.tls.ca: expected the path of a PEM file with certificates, found 7'],
  [
    { url: tls, tls: { servername: '10.0.0.1' } },
    'target.tls.servername: expected a host name (an IP address needs no servername), found "10.0.0.1"',
  ],
  [{ url: plain, protocol: 4 }, 'target.protocol: expected 2 or 3, found 4'],
  [{ url: plain, protocol: '3' }, 'target.protocol: expected 2 or 3, found "3"'],
  [
    { url: plain, sentinel: 'mymaster' },
    'target.sentinel: expected an object with the keys master, others, username, password, found "mymaster"',
  ],
  [
    { url: plain, sentinel: { others: ['h:1'] } },
    'target.sentinel.master: missing; expected the name of the master',
  ],
  [
    { url: plain, sentinel: { master: 'm', username: 'u' } },
    'target.sentinel.password: missing; expected the password of target.sentinel.username',
  ],
  [
    { url: 'unix:///s', sentinel: { master: 'm' } },
    'target.url: expected the redis:// or rediss:// URL of a Sentinel, as target.sentinel is set, found "unix:///s"',
  ],
  [
    { url: plain, threads: [2], sentinel: { master: 'm' } },
    'target.threads: expected none, as poolbench does not start a server that a Sentinel names, found a list',
  ],
  [
    { url: plain, sentinel: { master: 'm', others: ['user:s3cret@h:1'] } },
    'target.sentinel.others[0]: expected host:port of a Sentinel, such as "10.0.0.2:26379", found "user:***@h:1"',
  ],
  [
    { url: plain, sentinel: { master: 'm', password: 12345 } },
    'target.sentinel.password: expected the password for the Sentinels, found ***',
  ],
])('%j is refused', (target, fault) => {
  expect(faultsOf(target)).toEqual([fault]);
});

test('a password of the Sentinels is not shown', () => {
  const target = read({ url: 'redis://u:s3cret@h', sentinel: { master: 'm', password: 's3cret' } });
  const shown = withoutPasswords(target, 'redis://u@h');
  expect(shown).toMatchObject({ url: 'redis://u@h', sentinel: { master: 'm', password: '***' } });
  expect(JSON.stringify(shown)).not.toContain('s3cret');
});
