import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Result } from '../aggregate/result.ts';

/** The machine and runtime a run was made on. */
export function describeEnvironment(): Result['environment'] {
  return {
    node: process.version,
    os: `${os.type()} ${os.release()} ${os.arch()}`,
    cpu: os.cpus()[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
  };
}

/** Name and version of this tool, from its package.json. */
export function describeTool(): Result['tool'] {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { name, version } = JSON.parse(text) as Result['tool'];
  return { name, version };
}
