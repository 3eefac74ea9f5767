import { dirname, isAbsolute, join } from 'node:path';
import type { Experiment } from './experiment.ts';

/** The experiment with the paths of its TLS files as seen from here: a config names them relative to its own folder. */
export function locateTlsFiles(experiment: Experiment, configPath: string): Experiment {
  const { target } = experiment;
  const locate = (file: string | null): string | null =>
    file === null || isAbsolute(file) ? file : join(dirname(configPath), file);
  const { ca, cert, key } = target.tls;
  const tls = { ...target.tls, ca: locate(ca), cert: locate(cert), key: locate(key) };
  return { ...experiment, target: { ...target, tls } };
}
