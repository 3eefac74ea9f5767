import { describe, expect, test } from 'vitest';
import {
  allowedCpus,
  busyRatio,
  formatCpuList,
  onlineCpus,
  readCpuTimes,
} from '../../../src/main/machine/cpus.ts';
import { machineTree, procStat } from '../../support/machine-tree.ts';

describe('CPU time of a machine', () => {
  /** The fraction of these CPUs that is in use between two states of /proc/stat, one second apart. */
  function busyBetween(before: string, after: string, cpus: readonly number[] = [0, 1]): number | null {
    const { root, write } = machineTree({ 'proc/stat': before });
    const begun = readCpuTimes(root);
    write({ 'proc/stat': after });
    return busyRatio(cpus, begun, readCpuTimes(root), 1000);
  }

  const begun = procStat([
    { busy: 500, idle: 900, iowait: 10 },
    { busy: 100, idle: 100, iowait: 10 },
  ]);

  test('all CPUs and some of them are two figures', () => {
    const after = procStat([
      { busy: 600, idle: 900, iowait: 10 },
      { busy: 120, idle: 180, iowait: 10 },
    ]);
    expect(busyBetween(begun, after)).toBeCloseTo(0.6);
    expect(busyBetween(begun, after, [0])).toBe(1);
    expect(busyBetween(begun, after, [1])).toBeCloseTo(0.2);
  });

  test('a CPU that waits for a disk is not in use', () => {
    const after = procStat([
      { busy: 510, idle: 900, iowait: 100 },
      { busy: 100, idle: 100, iowait: 110 },
    ]);
    expect(busyBetween(begun, after)).toBeCloseTo(0.05);
  });

  test.each([
    ['are zeros', procStat([{ busy: 0, idle: 0 }]), procStat([{ busy: 0, idle: 0 }]), [0]],
    ['do not move', begun, begun, [0, 1]],
    ['hardly move', begun, begun.replace('cpu0 500', 'cpu0 503'), [0, 1]],
    ['are text', 'no cpu here', 'no cpu here', [0]],
    ['lack a CPU', begun, begun, [0, 7]],
    ['are of no CPU', begun, begun, []],
  ])('nothing is told of counters that %s', (_, before, after, cpus) => {
    expect(busyBetween(before, after, cpus)).toBeNull();
  });

  test('a clock that stands still makes no figure', () => {
    const { root } = machineTree({ 'proc/stat': begun });
    expect(busyRatio([0], readCpuTimes(root), readCpuTimes(root), 0)).toBeNull();
  });

  test('a hidden file is not told', () => {
    if (process.platform === 'linux') expect(readCpuTimes(machineTree({}).root)).toBeNull();
  });
});

describe('CPUs that a process may use', () => {
  const files = {
    'sys/devices/system/cpu/online': '0-3',
    'proc/self/status': 'Name:\tnode\nCpus_allowed:\tff\nCpus_allowed_list:\t0,2-127\nMems_allowed_list:\t0',
  };

  test('are those of its affinity that the machine has', () => {
    const { root } = machineTree(files);
    const online = onlineCpus(root);
    expect(online).toEqual([0, 1, 2, 3]);
    expect(allowedCpus(root, 'self', online)).toEqual([0, 2, 3]);
  });

  test('are those that /proc/stat counts where /sys is hidden', () => {
    const { root } = machineTree({
      'proc/stat': procStat([
        { busy: 1, idle: 1 },
        { busy: 1, idle: 1 },
      ]),
    });
    expect(onlineCpus(root)).toEqual([0, 1]);
  });

  test('are not told where either file is hidden or holds something else', () => {
    const { root } = machineTree({ 'sys/devices/system/cpu/online': 'all' });
    if (process.platform === 'linux') expect(onlineCpus(root)).toBeNull();
    expect(allowedCpus(root, 'self', [0])).toBeNull();
    expect(allowedCpus(machineTree(files).root, 'self', null)).toBeNull();
  });

  test('are written as ranges', () => {
    expect(formatCpuList([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
    expect(formatCpuList([])).toBe('');
  });
});
