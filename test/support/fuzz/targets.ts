import { clientTargets } from './client-target.ts';
import { configTarget } from './config-target.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { recordingTarget } from './recording-target.ts';
import { resultTarget } from './result-target.ts';
import { scannerTarget } from './scanner-target.ts';

/** Everything that takes what comes from outside. */
export const fuzzTargets: readonly FuzzTarget[] = [
  scannerTarget,
  ...clientTargets,
  configTarget,
  recordingTarget,
  resultTarget,
];
