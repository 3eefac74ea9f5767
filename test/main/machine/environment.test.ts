import { expect, test } from 'vitest';
import { resultSchema } from '../../../src/aggregate/result.ts';
import { describeEnvironment } from '../../../src/main/environment.ts';
import { machineTree } from '../../support/machine-tree.ts';

const { environment: schema } = resultSchema.shape;

const machine = {
  'sys/devices/system/cpu/online': '0-3',
  'proc/self/status': 'Cpus_allowed_list:\t0-1',
  'proc/self/cgroup': '0::/',
  'proc/self/mountinfo': '31 30 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
  'sys/fs/cgroup/cgroup.procs': '1',
  'sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'powersave',
  'sys/devices/system/cpu/cpu1/cpufreq/scaling_governor': 'powersave',
  'sys/devices/system/cpu/cpu2/cpufreq/scaling_governor': 'performance',
  'sys/devices/system/cpu/smt/active': '1',
  'proc/cpuinfo': 'processor\t: 0\nflags\t\t: fpu vme',
};

test('what explains figures of a machine is recorded', () => {
  const { root, write } = machineTree(machine);
  expect(schema.parse(describeEnvironment(root))).toMatchObject({
    cores: 2,
    cpus: 4,
    affinity: '0-1',
    quotaCores: 'none',
    governor: 'powersave',
    smt: true,
    virtualisation: 'none',
  });
  write({
    'sys/fs/cgroup/cpu.max': '30000 100000',
    'proc/cpuinfo': 'flags : fpu hypervisor vme',
    'sys/class/dmi/id/sys_vendor': 'Amazon EC2',
  });
  const inContainer = describeEnvironment(root);
  expect(inContainer).toMatchObject({ cores: 0.3, quotaCores: 0.3 });
  expect(inContainer.virtualisation).toContain('Amazon EC2');
});

test('what a machine hides is null', () => {
  const hidden = schema.parse(describeEnvironment(machineTree({}).root));
  if (process.platform === 'linux') expect(hidden.cpus).toBeNull();
  expect(hidden).toMatchObject({ affinity: null, quotaCores: null, governor: null });
  expect(hidden).toMatchObject({ smt: null, virtualisation: null });
  expect(hidden.cores).toBeGreaterThan(0);
});
