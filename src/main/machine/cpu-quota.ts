import { join } from 'node:path';
import { listMachineFolder, type MachineRoot, readMachineFields, readMachineFile } from './machine-files.ts';

/** A control group that limits the CPU time of this process, and how often it has stopped it so far. */
interface QuotaGroup {
  readonly folder: string;
  /** CPU time a period, as cores. */
  readonly cores: number;
  /** Periods that have passed, those of them in which the group was stopped, and for how long, over all CPUs. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledMs: number;
}

/** How often a quota stopped this process: see {@link QuotaGroup}. */
type Throttling = Pick<QuotaGroup, 'periods' | 'throttledPeriods' | 'throttledMs'>;

/** A mounted hierarchy of control groups that can limit CPU time: where it is, and where this process is in it. */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly mount: string;
  /** Below the mount. */
  readonly group: string;
}

/**
 * The quotas that limit this process: of its control group and of every one above it (cgroup v1 and v2). Empty if there
 * is none; null if it is not known.
 */
export function readQuotas(root: MachineRoot): readonly QuotaGroup[] | null {
  const hierarchy = findHierarchy(root);
  if (hierarchy === null) return null;
  const folders = foldersUpTo(hierarchy.mount, hierarchy.group);
  // A group has files, whether it has a quota or not.
  const isHidden = folders.some(folder => (listMachineFolder(root, folder) ?? []).length === 0);
  return isHidden ? null : folders.flatMap(folder => readGroup(root, hierarchy.version, folder) ?? []);
}

/** The smallest quota in cores: 'none' without a quota, null if it is not known. */
export function quotaCores(quotas: readonly QuotaGroup[] | null): number | 'none' | null {
  if (quotas === null) return null;
  return quotas.length === 0 ? 'none' : Math.min(...quotas.map(({ cores }) => cores));
}

/** How often the quota that stopped this process most did so between two readings; null without a quota. */
export function throttlingBetween(
  before: readonly QuotaGroup[] | null,
  after: readonly QuotaGroup[] | null,
): Throttling | null {
  const all = (after ?? []).flatMap(to => {
    const from = before?.find(({ folder }) => folder === to.folder);
    if (from === undefined) return [];
    return {
      periods: Math.max(0, to.periods - from.periods),
      throttledPeriods: Math.max(0, to.throttledPeriods - from.throttledPeriods),
      throttledMs: Math.max(0, to.throttledMs - from.throttledMs),
    };
  });
  return all.toSorted((a, b) => b.throttledPeriods - a.throttledPeriods)[0] ?? null;
}

/** Where both versions are mounted, the first has the controller; null if it is not known. */
function findHierarchy(root: MachineRoot): Hierarchy | null {
  const groups = readMachineFile(root, 'proc/self/cgroup')?.split('\n') ?? [];
  const mounts = readMachineFile(root, 'proc/self/mountinfo')?.split('\n') ?? [];
  const found = groups.flatMap((line): Hierarchy[] => {
    const [, id, controllers = '', path = '/'] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    const version = id === '0' && controllers === '' ? 2 : 1;
    if (id === undefined || (version === 1 && !controllers.split(',').includes('cpu'))) return [];
    for (const mount of mounts) {
      // "… root mountPoint options … - type source superOptions"
      const [left = '', right = ''] = mount.split(' - ');
      const [, , , mountRoot = '/', point] = left.split(' ');
      const [type, , options = ''] = right.split(' ');
      const fits =
        version === 2 ? type === 'cgroup2' : type === 'cgroup' && options.split(',').includes('cpu');
      if (fits && point !== undefined) return [{ version, mount: point, group: below(mountRoot, path) }];
    }
    return [];
  });
  return found.toSorted((a, b) => a.version - b.version)[0] ?? null;
}

/** The path of a group below the group that is mounted: in a container the whole path of the host may be given. */
function below(mountRoot: string, path: string): string {
  if (path.startsWith('/..')) return '/';
  if (mountRoot === '/') return path;
  return path === mountRoot || path.startsWith(`${mountRoot}/`) ? path.slice(mountRoot.length) : '/';
}

/** The folder of a group, and those of all groups above it. */
function foldersUpTo(mount: string, group: string): string[] {
  const names = group.split('/').filter(name => name !== '');
  return [...names.keys(), names.length].map(depth => join(mount, ...names.slice(0, depth)));
}

/** Null if the group has no quota. */
function readGroup(root: MachineRoot, version: 1 | 2, folder: string): QuotaGroup | null {
  const read = (file: string) => readMachineFile(root, join(folder, file));
  const [quota, period] =
    version === 2
      ? (read('cpu.max')?.split(' ') ?? [])
      : [read('cpu.cfs_quota_us'), read('cpu.cfs_period_us')];
  // "max" and -1 are no quota.
  const cores = Number(quota) / Number(period);
  if (!(cores > 0)) return null;
  const stat = readMachineFields(root, join(folder, 'cpu.stat'));
  const count = (key: string) => Number(stat.get(key) ?? 0) || 0;
  return {
    folder,
    cores,
    periods: count('nr_periods'),
    throttledPeriods: count('nr_throttled'),
    throttledMs: version === 2 ? count('throttled_usec') / 1e3 : count('throttled_time') / 1e6,
  };
}
