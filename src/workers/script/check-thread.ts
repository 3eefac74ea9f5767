import { parentPort, workerData } from 'node:worker_threads';
import { loadScript } from './load-script.ts';

/** Entry of a thread that loads a script. It posts the reason why the script cannot be used, or null. */
const fault = await loadScript(workerData as string).then(
  () => null,
  (error: Error) => error.message,
);
parentPort?.postMessage(fault);
