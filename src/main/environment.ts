import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Result } from '../aggregate/result.ts';
import { quotaCores, readQuotas } from './machine/cpu-quota.ts';
import { allowedCpus, type CpuList, formatCpuList, onlineCpus } from './machine/cpus.ts';
import { type MachineRoot, readMachineFile } from './machine/machine-files.ts';

/** The machine and runtime a run was made on. What the machine does not report is null. */
export function describeEnvironment(root: MachineRoot = '/'): Result['environment'] {
  const online = onlineCpus(root);
  const allowed = allowedCpus(root, 'self', online);
  return {
    node: process.version,
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: usableCores(root),
    memoryBytes: os.totalmem(),
    cpus: online?.length ?? null,
    affinity: allowed && formatCpuList(allowed),
    quotaCores: quotaCores(readQuotas(root)),
    governor: governorOf(root, allowed ?? []),
    smt: smtOf(root),
    virtualisation: virtualisationOf(root),
  };
}

/** Cores that this process can use, by its affinity and its quota, which may be a fraction of one. */
export function usableCores(root: MachineRoot = '/'): number {
  const allowed = allowedCpus(root, 'self', onlineCpus(root));
  const quota = quotaCores(readQuotas(root));
  return Math.min(
    allowed?.length ?? os.availableParallelism(),
    typeof quota === 'number' ? quota : Number.POSITIVE_INFINITY,
  );
}

/** Each governor once; null where the frequency is not governed, or not from in here. */
function governorOf(root: MachineRoot, cpus: CpuList): string | null {
  const governors = cpus.flatMap(
    cpu => readMachineFile(root, `sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_governor`) ?? [],
  );
  return governors.length === 0 ? null : [...new Set(governors)].join(', ');
}

function smtOf(root: MachineRoot): boolean | null {
  const active = readMachineFile(root, 'sys/devices/system/cpu/smt/active');
  return active === '1' || active === '0' ? active === '1' : null;
}

/** What runs the virtual machine: its product, or its type. Only x86 shows that there is none. */
function virtualisationOf(root: MachineRoot): string | null {
  const flags = /^flags\s*:(.*)$/m.exec(readMachineFile(root, 'proc/cpuinfo') ?? '')?.[1]?.split(' ');
  const type = readMachineFile(root, 'sys/hypervisor/type');
  const dmi = ['sys_vendor', 'product_name'].flatMap(
    name => readMachineFile(root, `sys/class/dmi/id/${name}`) || [],
  );
  if (type || flags?.includes('hypervisor'))
    return [type || 'a virtual machine', dmi.join(' ')].filter(text => text !== '').join(', ');
  return flags === undefined ? null : 'none';
}

/** Name and version of this tool, from its package.json. */
export function describeTool(): Result['tool'] {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { name, version } = JSON.parse(text) as Result['tool'];
  return { name, version };
}
