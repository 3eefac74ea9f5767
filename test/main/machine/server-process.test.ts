import { describe, expect, test } from 'vitest';
import { fullestThread, readServerProcess } from '../../../src/main/machine/server-process.ts';
import { machineTree } from '../../support/machine-tree.ts';

const pid = 4_000_001;
const stat = (ticks: number) => `${pid} (a (server) x) S 1 2 3 4 5 6 7 8 9 10 ${ticks} 0 0 0 20 0 2 0 99`;
const thread = (task: number, name: string, ranNs: number) => ({
  [`proc/${pid}/task/${task}/comm`]: name,
  [`proc/${pid}/task/${task}/schedstat`]: `${ranNs} 1 1`,
});

/** The fullest thread of a process whose threads run for so many milliseconds of a second. */
function fullest(threads: Readonly<Record<string, number>>, { spins = false } = {}) {
  const names = Object.keys(threads);
  const { root, write } = machineTree({ [`proc/${pid}/stat`]: stat(300) });
  for (const [task, name] of names.entries()) write(thread(task, name, 1e9));
  const before = readServerProcess(root, pid, 3, [0]);
  for (const [task, name] of names.entries()) write(thread(task, name, 1e9 + (threads[name] ?? 0) * 1e6));
  return fullestThread(root, before, readServerProcess(root, pid, 3, [0]), { elapsedNs: 1e9, spins });
}

describe('fullest thread of a local server', () => {
  test('is one full shard among several', () => {
    expect(fullest({ Proactor0: 350, Proactor1: 990, Proactor2: 340 })).toEqual({
      name: 'Proactor1',
      cores: 0.99,
    });
  });

  test('is no io-thread that spins', () => {
    const threads = { 'redis-server': 600, io_thd_1: 1000 };
    expect(fullest(threads, { spins: true })).toEqual({ name: 'redis-server', cores: 0.6 });
    expect(fullest(threads)).toEqual({ name: 'io_thd_1', cores: 1 });
  });

  test('is not told where no thread can be read', () => {
    expect(fullest({})).toBeNull();
    expect(fullestThread('/', null, null, { elapsedNs: 1e9, spins: false })).toBeNull();
  });
});

describe('process of a server', () => {
  const { stat: path } = { stat: `proc/${pid}/stat` };

  test('is told with the CPUs that it may use', () => {
    const { root } = machineTree({
      [path]: stat(300),
      [`proc/${pid}/status`]: 'Cpus_allowed_list:\t1',
      ...thread(1, 'redis-server', 5),
    });
    expect(readServerProcess(root, pid, 3.02, [0, 1])).toMatchObject({ pid, cpus: [1] });
  });

  test('is another one if it has used another CPU time than the server reports', () => {
    const { root } = machineTree({ [path]: stat(300), ...thread(1, 'init', 5) });
    expect(readServerProcess(root, pid, 12, [0])).toBeNull();
    expect(readServerProcess(root, pid, null, [0])).toBeNull();
  });

  test('is not told without a number, without files, or with that of poolbench itself', () => {
    const { root } = machineTree({});
    expect(readServerProcess(root, null, 3, [0])).toBeNull();
    expect(readServerProcess(root, pid, 3, [0])).toBeNull();
    expect(readServerProcess('/', process.pid, process.cpuUsage().user / 1e6, [0])).toBeNull();
  });
});
