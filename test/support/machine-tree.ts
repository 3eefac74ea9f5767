import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A machine made of files, as `/proc` and `/sys` show one: its root, and a way to change it. It ends with the test. */
export function machineTree(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const write = (changed: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(changed)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), `${text}\n`);
    }
  };
  write(files);
  return { root, write };
}

/** /proc/stat of CPUs that were busy, idle and waiting for a disk for so many ticks of 10 ms. */
export function procStat(cpus: readonly { busy: number; idle: number; iowait?: number }[]): string {
  const lines = cpus.map(
    ({ busy, idle, iowait = 0 }, cpu) => `cpu${cpu} ${busy} 0 0 ${idle} ${iowait} 0 0 0 0 0`,
  );
  return ['cpu  0 0 0 0 0 0 0 0 0 0', ...lines, 'intr 1', 'ctxt 2'].join('\n');
}
