import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { acceptWrites, breakSaving, refuseWrites } from './break-saving.ts';
import type { RunFault, RunScene } from './run-fault.ts';

const fileOfThread = (folder: string) => join(folder, 'fail-now');

/** Preloads what makes a thread do that once its file is there. */
const withFaultyThread = (does: 'throw' | 'hoard') => (folder: string) => ({
  env: {
    NODE_OPTIONS: `--max-old-space-size=96 --import ${new URL('faulty-thread.mjs', import.meta.url).href}`,
    FAULTY_THREAD_DOES: does,
    FAULTY_THREAD_FILE: fileOfThread(folder),
  },
  // Its threads heed the import wherever they are; the limit is heeded only by a process that starts with it.
  ownProcess: does === 'hoard',
});

const setPassword = ({ observer }: RunScene, password: string) =>
  observer.config('SET', 'requirepass', password);

const letThreadFail = ({ folder }: RunScene) => writeFile(fileOfThread(folder), '');

/** What can end a run, or spoil it. */
export const runFaults: readonly RunFault[] = [
  {
    name: 'A thread throws',
    exit: 1,
    says: /this is a defect, please report it: TypeError: a thread that throws/,
    client: 'wire',
    threads: 2,
    started: withFaultyThread('throw'),
    inflict: letThreadFail,
  },
  {
    name: 'A thread runs out of memory',
    exit: 1,
    code: 'THREAD_FAILED',
    says: /one ran out of memory: .*; give it fewer workers, .*--max-old-space-size=MB$/,
    client: 'wire',
    threads: 2,
    started: withFaultyThread('hoard'),
    inflict: letThreadFail,
  },
  {
    name: 'The password is changed between two measurements',
    exit: 1,
    code: 'THREAD_FAILED',
    says: /expected every thread to open its connections, but one was refused: (NOAUTH|WRONGPASS)/,
    client: 'ioredis',
    threads: 2,
    inflict: scene => setPassword(scene, 'another'),
    undo: scene => setPassword(scene, ''),
  },
  {
    name: 'The password is changed, and all connections are lost',
    exit: 1,
    code: 'TARGET_LOST',
    says: /to answer until the end, but it has refused every connection for 2 s \(twice timeoutMs\): the server at .* requires a password/,
    client: 'wire',
    config: { timeoutMs: 1000 },
    keysLeft: 'the server refuses the login',
    async inflict(scene) {
      await setPassword(scene, 'another');
      await scene.observer.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    undo: scene => setPassword(scene, ''),
  },
  {
    name: 'A script keeps the server busy until the end (BUSY)',
    exit: 1,
    code: 'TARGET_LOST',
    says: /it has refused every connection for 2 s \(twice timeoutMs\): BUSY /,
    client: 'ioredis',
    config: { timeoutMs: 1000 },
    keysLeft: 'the server refuses to remove them',
    async inflict({ observer }) {
      await observer.config('SET', 'busy-reply-threshold', '20');
      observer
        .duplicate()
        .eval('while true do end', 0)
        .catch(() => {});
    },
    async undo({ observer }) {
      await observer.script('KILL');
    },
  },
  {
    name: 'The server accepts no more clients (maxclients)',
    exit: 1,
    code: 'THREAD_FAILED',
    // A write can fail before what the server said is read.
    says: /expected every thread to open its connections, but one was refused: .*(max number of clients|EPIPE|ECONNRESET)/,
    client: 'wire',
    threads: 2,
    inflict: ({ observer }) => observer.config('SET', 'maxclients', '1'),
    undo: ({ observer }) => observer.config('SET', 'maxclients', '100'),
  },
  {
    name: 'The server is stopped (SIGSTOP), and continues after a while',
    exit: 0,
    rounds: 3,
    config: { timeoutMs: 1000, maxFailedShare: 1 },
    async inflict({ pid }) {
      process.kill(pid, 'SIGSTOP');
      await sleep(1300);
      process.kill(pid, 'SIGCONT');
    },
  },
  {
    name: 'The server can no longer save to its disk (MISCONF)',
    exit: 1,
    code: 'TOO_MANY_FAILURES',
    says: /expected at most 1 % of the operations to fail \(maxFailedShare\), found \d+\.\d+ %$/,
    rounds: 3,
    spoilsServer: true,
    keysLeft: 'the server refuses to remove them',
    prepare: ({ observer }) => breakSaving(observer),
    inflict: ({ observer }) => refuseWrites(observer),
    undo: ({ observer }) => acceptWrites(observer),
  },
];
