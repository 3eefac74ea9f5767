import { setTimeout as sleep } from 'node:timers/promises';
import { acceptWrites, breakSaving, refuseWrites } from './break-saving.ts';
import { keptOut, lost } from './codes.ts';
import { type Fault, hasty, type Scene } from './fault.ts';

/** What a server can do to its clients, and what can be done to it. All of it is real. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'Every batch has a command that the server refuses',
    fails: ['ERR'],
    known: 'completed and failed',
    load: {
      workload: {
        keys: 100,
        members: 10,
        keyChoice: { kind: 'uniform' },
        values: [{ weight: 1, value: { bytes: 16 } }],
        compressibleRatio: 0,
        commands: [
          { command: 'GET {key}', weight: 1 },
          { command: 'SET {key} {value}', weight: 1 },
          { command: 'SETRANGE {key} -1 x', weight: 1 },
        ],
        hitShare: 1,
        growth: null,
        apart: true,
      },
    },
    prepare: writeAll,
    inflict: () => {},
  },
  {
    name: 'The server cannot save to its disk (MISCONF)',
    fails: ['MISCONF'],
    known: 'completed',
    spoilsServer: true,
    prepare: ({ observer }) => breakSaving(observer),
    async inflict({ observer }, felt) {
      await refuseWrites(observer);
      await Promise.all([felt(), sleep(150)]);
      await acceptWrites(observer);
    },
  },
  {
    name: 'The server is loading its data (LOADING)',
    fails: ['LOADING'],
    known: 'completed',
    serverArguments: [
      ...['--enable-debug-command', 'yes', '--rdbcompression', 'no'],
      ...['--loading-process-events-interval-bytes', '1024'],
    ],
    async prepare({ observer }) {
      // It looks for requests after each kilobyte, so after each key.
      await writeAll({ observer }, 1024);
      await observer.config('SET', 'key-load-delay', '1000');
    },
    async inflict({ observer }) {
      // On a busy machine a client may have sent nothing meanwhile.
      do await observer.call('DEBUG', 'RELOAD');
      while (!(await observer.info('errorstats')).includes('errorstat_LOADING'));
    },
  },
  {
    name: 'A script keeps the server busy (BUSY)',
    fails: ['BUSY'],
    known: 'completed',
    prepare: ({ observer }) => observer.config('SET', 'busy-reply-threshold', '20'),
    async inflict({ observer }, felt) {
      const other = observer.duplicate();
      const script = other.eval('while true do end', 0).catch(() => {});
      await Promise.all([felt(), sleep(150)]);
      // If the load did not feel it, the script may not have begun.
      while ((await observer.script('KILL').catch(() => 'none')) === 'none') await sleep(10);
      await script;
      other.disconnect();
    },
  },
  {
    name: 'The server has reached its client limit (maxclients)',
    fails: [...keptOut, 'ERR'],
    known: 'completed, and some that failed',
    async inflict({ observer }) {
      await observer.config('SET', 'maxclients', '1');
      await killAll(observer);
      await sleep(120);
      await observer.config('SET', 'maxclients', '100');
    },
  },
  {
    name: 'CLIENT KILL closes all connections',
    fails: lost,
    known: 'completed, and some that failed',
    inflict: ({ observer }) => killAll(observer),
  },
  {
    name: 'Replies exceed the output buffer that the server allows',
    fails: lost,
    known: 'completed, and some that failed',
    load: {
      workload: {
        keys: 100,
        members: 10,
        keyChoice: { kind: 'uniform' },
        values: [{ weight: 1, value: { bytes: 50_000 } }],
        compressibleRatio: 0,
        commands: [{ command: 'GET {key}', weight: 1 }],
        hitShare: 1,
        growth: null,
        apart: false,
      },
    },
    prepare: ({ observer }) => writeAll({ observer }, 50_000),
    async inflict({ observer }, felt) {
      await observer.config('SET', 'client-output-buffer-limit', 'normal 100kb 0 0');
      await Promise.all([felt(), sleep(120)]);
      await observer.config('SET', 'client-output-buffer-limit', 'normal 0 0 0');
    },
  },
  {
    name: 'The password is changed, and connections are lost',
    fails: [...keptOut, 'NOAUTH', 'WRONGPASS'],
    known: 'completed, and some that failed',
    inOpenLoop: true,
    async inflict({ observer }) {
      await observer.config('SET', 'requirepass', 'another');
      await killAll(observer);
      await sleep(120);
      await observer.config('SET', 'requirepass', '');
    },
  },
  {
    name: 'The server is killed and restarted',
    fails: [...keptOut, 'ECONNREFUSED'],
    known: 'nothing',
    inOpenLoop: true,
    spoilsServer: true,
    load: { seconds: 0.6 },
    inflict: scene => scene.killAndRestart(),
  },
  {
    name: 'The server is stopped (SIGSTOP), and continues before the time limit',
    fails: [],
    known: 'completed',
    slowestMs: 90,
    inOpenLoop: true,
    // Operations may only be sent some time after that: far longer than the slowest one must have taken.
    inflict: scene => stopUntil(scene, sleep(250)),
  },
  {
    name: 'The server is stopped (SIGSTOP), and continues after the time limit',
    fails: ['TIMEOUT', 'ETIMEDOUT', 'CIRCUIT_OPEN'],
    known: 'completed, and some that failed',
    inOpenLoop: true,
    load: { seconds: 0.8, ...hasty },
    // On a busy machine, time limits may be checked so late that the server would be back.
    inflict: (scene, felt) => stopUntil(scene, Promise.all([sleep(900), felt()])),
  },
];

async function writeAll({ observer }: Pick<Scene, 'observer'>, bytes = 16): Promise<void> {
  const pipeline = observer.pipeline();
  for (let key = 0; key < 100; key++) pipeline.set(`test:${String(key).padStart(8, '0')}`, 'x'.repeat(bytes));
  await pipeline.exec();
  await observer.config('RESETSTAT');
}

function killAll(observer: Scene['observer']): Promise<unknown> {
  return observer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

async function stopUntil({ pid }: Scene, over: Promise<unknown>): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await over;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}
