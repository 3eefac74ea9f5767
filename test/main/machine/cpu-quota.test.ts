import { describe, expect, test } from 'vitest';
import { quotaCores, readQuotas, throttlingBetween } from '../../../src/main/machine/cpu-quota.ts';
import { machineTree } from '../../support/machine-tree.ts';

const v2 = {
  'proc/self/cgroup': '0::/system.slice/box',
  'proc/self/mountinfo':
    '30 23 0:28 / /sys rw - sysfs sysfs rw\n31 30 0:29 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate',
  'sys/fs/cgroup/cgroup.procs': '1',
  'sys/fs/cgroup/system.slice/cgroup.procs': '1',
  'sys/fs/cgroup/system.slice/box/cgroup.procs': '1',
};
const v1 = {
  'proc/self/cgroup': '5:memory:/box\n4:cpu,cpuacct:/box\n0::/',
  'proc/self/mountinfo':
    '32 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n33 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct',
  'sys/fs/cgroup/cpu/tasks': '1',
  'sys/fs/cgroup/cpu/box/tasks': '1',
};
const statOfV2 = (periods: number, throttled: number) =>
  `usage_usec 5\nnr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_usec ${throttled * 50_000}`;

const coresOf = (files: Readonly<Record<string, string>>) => quotaCores(readQuotas(machineTree(files).root));

describe('CPU quota of a container', () => {
  test('is the one of its group (cgroup v2)', () => {
    expect(coresOf({ ...v2, 'sys/fs/cgroup/system.slice/box/cpu.max': '30000 100000' })).toBe(0.3);
  });

  test('is the smallest one of its group and those above', () => {
    const files = {
      ...v2,
      'sys/fs/cgroup/system.slice/cpu.max': '150000 100000',
      'sys/fs/cgroup/system.slice/box/cpu.max': '400000 100000',
    };
    expect(coresOf(files)).toBe(1.5);
  });

  test('is there in cgroup v1, too', () => {
    const group = 'sys/fs/cgroup/cpu/box';
    const files = { ...v1, [`${group}/cpu.cfs_quota_us`]: '25000', [`${group}/cpu.cfs_period_us`]: '50000' };
    expect(coresOf(files)).toBe(0.5);
  });

  test.each([
    ['as the whole path of the host', '/docker/abc', '/docker/abc'],
    ['from outside of its name space', '/', '/../../x'],
  ])('is found where the group is given %s', (_, mountRoot, path) => {
    const files = {
      'proc/self/cgroup': `0::${path}`,
      'proc/self/mountinfo': `31 30 0:29 ${mountRoot} /sys/fs/cgroup ro - cgroup2 cgroup2 rw`,
      'sys/fs/cgroup/cpu.max': '200000 100000',
    };
    expect(coresOf(files)).toBe(2);
  });

  test('is none where the group has no limit, and not told where the groups are hidden', () => {
    expect(coresOf(v2)).toBe('none');
    expect(coresOf({ ...v2, 'sys/fs/cgroup/system.slice/box/cpu.max': 'max 100000' })).toBe('none');
    const unlimited = { 'sys/fs/cgroup/cpu/box/cpu.cfs_quota_us': '-1' };
    expect(coresOf({ ...v1, ...unlimited, 'sys/fs/cgroup/cpu/box/cpu.cfs_period_us': '100000' })).toBe(
      'none',
    );
    expect(coresOf({})).toBeNull();
    expect(coresOf({ 'proc/self/cgroup': '0::/box' })).toBeNull();
    const { 'proc/self/cgroup': group, 'proc/self/mountinfo': mounts } = v2;
    expect(coresOf({ 'proc/self/cgroup': group, 'proc/self/mountinfo': mounts })).toBeNull();
  });
});

describe('throttling', () => {
  test('is what the quota that stopped the process most did between two readings', () => {
    const slice = 'sys/fs/cgroup/system.slice';
    const { root, write } = machineTree({
      ...v2,
      [`${slice}/cpu.max`]: '100000 100000',
      [`${slice}/cpu.stat`]: statOfV2(100, 1),
      [`${slice}/box/cpu.max`]: '50000 100000',
      [`${slice}/box/cpu.stat`]: statOfV2(100, 10),
    });
    const before = readQuotas(root);
    write({ [`${slice}/cpu.stat`]: statOfV2(110, 8), [`${slice}/box/cpu.stat`]: statOfV2(110, 12) });
    expect(throttlingBetween(before, readQuotas(root))).toEqual({
      periods: 10,
      throttledPeriods: 7,
      throttledMs: 350,
    });
  });

  test('is in nanoseconds in cgroup v1', () => {
    const group = 'sys/fs/cgroup/cpu/box';
    const stat = (ns: number) => `nr_periods ${ns}\nnr_throttled ${ns}\nthrottled_time ${ns * 1e6}`;
    const { root, write } = machineTree({
      ...v1,
      [`${group}/cpu.cfs_quota_us`]: '25000',
      [`${group}/cpu.cfs_period_us`]: '50000',
      [`${group}/cpu.stat`]: stat(2),
    });
    const before = readQuotas(root);
    write({ [`${group}/cpu.stat`]: stat(9) });
    expect(throttlingBetween(before, readQuotas(root))).toMatchObject({ throttledMs: 7 });
  });

  test('is not told without a quota', () => {
    expect(throttlingBetween([], [])).toBeNull();
    expect(throttlingBetween(null, null)).toBeNull();
  });
});
