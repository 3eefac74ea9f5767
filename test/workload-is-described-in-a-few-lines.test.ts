import { expect, test } from 'vitest';
import { describeWorkload } from '../src/main/experiment/describe-workload.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';

function linesOf(workload: object): string[] {
  const config = { name: 'c', target: { server: 'redis', url: 'redis://h' }, scenarios: [{}], workload };
  return describeWorkload(parseConfig(JSON.stringify(config), 'c.json').workload);
}

test.each<[object, string[]]>([
  [{}, ['workload: 10,000 keys, values of 32 bytes, 50 % GET, 50 % SET']],
  [
    { ycsb: 'B' },
    ['workload: 10,000 keys, zipfian 0.99, values of 32 bytes, YCSB B: 95 % GET, 5 %', '          SET'],
  ],
  [
    { ycsb: 'D' },
    [
      'workload: 10,000 records and room for as many more, the newest read most,',
      '          zipfian 0.99, values of 32 bytes, YCSB D: 95 % GET, 5 % SET',
    ],
  ],
  [
    { ycsb: 'E' },
    [
      'workload: 10,000 records in one sorted set, and room for as many more, zipfian',
      '          0.99, values of 32 bytes, YCSB E: 95 % ZRANGEBYSCORE, 5 % ZADD',
    ],
  ],
  [
    {
      keyChoice: { kind: 'hotSet' },
      valueBytes: { kind: 'lognormal', median: 100 },
      valueContent: { kind: 'compressible', share: 0.3 },
      hitShare: 0.9,
      commands: ['GET {key}', 'MGET {key} {key}', 'SET {key} {value}', 'PING', 'DEL {key}'].map(command => ({
        command,
      })),
    },
    [
      'workload: 10,000 keys, 80 % of operations on 20 %, values of about 100 bytes',
      '          (lognormal, up to 1048576), 20 % GET, 20 % MGET, 20 % SET, and 2',
      '          more, 30 % of a value is one character, 90 % of reads are for keys',
      '          that are there',
    ],
  ],
])('%j', (workload, lines) => {
  expect(linesOf(workload)).toEqual(lines);
});
