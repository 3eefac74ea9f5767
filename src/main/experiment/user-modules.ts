import { Worker } from 'node:worker_threads';
import type { CheckedModule, CheckTask } from '../../workers/check-thread.ts';

/**
 * Loads a user's module before the load, in a separate thread: what a module opens when it is loaded, such as a timer or a
 * connection, would keep this process alive.
 *
 * @throws Error whose message is the reason why the module cannot be used, in one line
 */
export async function checkModule<const Task extends CheckTask>(task: Task): Promise<CheckedModule<Task>> {
  const entry = new URL('../../workers/check-thread.js', import.meta.url);
  const thread = new Worker(entry, { workerData: task, execArgv: [] });
  try {
    return await new Promise((resolve, reject) => {
      thread.on('message', resolve);
      thread.on('error', reject);
      thread.on('exit', code => reject(new Error(`it ended its thread with exit code ${code}`)));
    });
  } finally {
    await thread.terminate();
  }
}
