import { expect, test } from 'vitest';
import { parseListenAddress } from '../src/main/live/prometheus/metrics-server.ts';

test.each([
  ['9400', { host: '127.0.0.1', port: 9400 }],
  ['0', { host: '127.0.0.1', port: 0 }],
  ['0.0.0.0:9400', { host: '0.0.0.0', port: 9400 }],
  ['localhost:9400', { host: 'localhost', port: 9400 }],
  ['[::1]:9400', { host: '::1', port: 9400 }],
])('%s', (text, address) => {
  expect(parseListenAddress(text)).toEqual(address);
});

test.each([
  '',
  'x',
  '65536',
  '-1',
  '9400x',
  ':9400',
  '::1:9400',
  '1.5',
  'http://127.0.0.1:9400',
  '9400/metrics',
])('"%s" is none', text => {
  expect(() => parseListenAddress(text)).toThrow(/expected --prometheus PORT, or HOST:PORT .*found/);
});
