import { expect, test } from 'vitest';
import { linkUse, readLink } from '../../../src/main/machine/link.ts';
import { machineTree } from '../../support/machine-tree.ts';

const address = { netmask: '', mac: '', cidr: null };
const interfaces = {
  lo: [{ ...address, address: '127.0.0.1', family: 'IPv4' as const, internal: true }],
  eth0: [{ ...address, address: '10.0.0.7', family: 'IPv4' as const, internal: false }],
};
const card = (speed: string, received: number, sent: number) => ({
  'sys/class/net/eth0/speed': speed,
  'sys/class/net/eth0/statistics/rx_bytes': String(received),
  'sys/class/net/eth0/statistics/tx_bytes': String(sent),
});

test('a link is as full as its fuller direction, by the speed that it says it has', () => {
  const { root, write } = machineTree(card('1000', 5, 7));
  const before = readLink(root, '::ffff:10.0.0.7', interfaces);
  write(card('1000', 5 + 120e6, 7 + 1e6));
  const use = linkUse(before, readLink(root, '10.0.0.7', interfaces), 1e9);
  expect(use).toEqual({ name: 'eth0', speedMbps: 1000, busyShare: 0.96 });
});

test.each([
  ['loopback', '127.0.0.1', card('1000', 1, 1)],
  ['a link without a speed', '10.0.0.7', card('-1', 1, 1)],
  ['a link without files', '10.0.0.7', {}],
  ['a unix socket', undefined, card('1000', 1, 1)],
])('nothing is told of %s', (_, local, files) => {
  const link = readLink(machineTree(files).root, local, interfaces);
  expect(link).toBeNull();
  expect(linkUse(link, link, 1e9)).toBeNull();
});
