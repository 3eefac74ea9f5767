import { expect, test } from 'vitest';
import { isLoopback, loopbackAddress } from '../../src/main/local-addresses.ts';

const at = (address: string, family: 'IPv4' | 'IPv6' = address.includes(':') ? 'IPv6' : 'IPv4') => {
  const common = { address, netmask: '', mac: '', cidr: null, internal: true };
  return family === 'IPv6' ? { ...common, family, scopeid: 0 } : { ...common, family };
};

test.each([
  ['both', [at('127.0.0.1'), at('::1')], '127.0.0.1'],
  ['IPv4 only', [at('127.0.0.1')], '127.0.0.1'],
  ['IPv6 only', [at('::1'), at('fd00::2')], '::1'],
  ['another address of loopback', [at('10.0.0.1'), at('::1')], '::1'],
  ['nothing that is known', [], '127.0.0.1'],
])('loopback of a machine with %s', (_, lo, expected) => {
  expect(loopbackAddress({ lo })).toBe(expected);
});

test.each([
  ['localhost', true],
  ['127.0.0.53', true],
  ['::1', true],
  ['127.example', false],
  ['10.0.0.1', false],
])('%s can only be this machine: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
