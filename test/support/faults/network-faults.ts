import { setTimeout as sleep } from 'node:timers/promises';
import { keptOut, lost } from './codes.ts';
import { type Fault, hasty } from './fault.ts';

const rubbish = Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');

/** What the way to a server can do to it. */
export const networkFaults: readonly Fault[] = [
  {
    name: 'Connections are reset',
    fails: lost,
    known: 'completed, and some that failed',
    inOpenLoop: true,
    inflict: ({ proxy }) => proxy.cut('reset'),
  },
  {
    name: 'Connections go silent without a FIN (half-open)',
    // What gave up waiting connects anew, and on a busy machine that can run out of time as well, again and again.
    fails: ['TIMEOUT', 'ETIMEDOUT', 'CIRCUIT_OPEN'],
    known: 'completed, and some that failed',
    inOpenLoop: true,
    load: hasty,
    inflict: ({ proxy }) => proxy.cut('silence'),
  },
  {
    name: 'Every reply comes 30 ms late',
    fails: [],
    known: 'completed',
    slowestMs: 30,
    inflict({ proxy }) {
      proxy.delayMs = 30;
    },
  },
  {
    name: 'Every reply comes up to 20 ms late, by a random time (jitter)',
    fails: [],
    known: 'completed',
    slowestMs: 10,
    inOpenLoop: true,
    inflict({ proxy }) {
      proxy.delayMs = () => Math.random() * 20;
    },
  },
  {
    name: 'The network is throttled to 500 requests a second',
    fails: [],
    known: 'completed',
    slowestMs: 20,
    inflict({ proxy }) {
      proxy.requestsPerSecond = 500;
    },
  },
  {
    name: 'Replies come one byte at a time',
    fails: [],
    known: 'completed',
    inflict({ proxy }) {
      proxy.fragmentBytes = 1;
    },
  },
  {
    name: 'Connections end in the middle of a reply',
    // That of a login is one of a connection attempt, too.
    fails: [...lost, 'CIRCUIT_OPEN'],
    known: 'completed, and some that failed',
    async inflict({ proxy }) {
      proxy.cutAfter(38, 'end');
      await sleep(100);
      proxy.cutAfter(23, 'reset');
    },
  },
  {
    name: 'Garbage between two replies',
    fails: ['PROTOCOL'],
    known: 'completed, and some that failed',
    inflict: ({ proxy }) => proxy.inject(rubbish),
  },
  {
    name: 'Connections are refused for a while',
    fails: [...keptOut, 'ECONNREFUSED'],
    known: 'completed, and some that failed',
    async inflict({ proxy }) {
      await proxy.refuse();
      proxy.cut('end');
      await sleep(120);
      await proxy.admit();
    },
  },
];
