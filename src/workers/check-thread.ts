import { parentPort, workerData } from 'node:worker_threads';
import { type ClientLoad, type LoadedClient, loadClient } from '../pool/client/libraries.ts';
import { PoolError } from '../pool/errors.ts';
import type { Client } from '../pool/presets.ts';
import { loadScript, reasonOfImport } from './script/load-script.ts';

/** A user's module, and what to try with it. Plain data, so a thread can get it. */
export type CheckTask =
  | { readonly kind: 'script'; readonly file: string }
  /** With `load`, it also opens a connection. */
  | { readonly kind: 'client'; readonly client: Client; readonly file: string; readonly load?: ClientLoad };

/** What the thread found. If the module cannot be used, the thread ends with an error whose message is the reason. */
export type CheckedModule<Task extends CheckTask> = Task extends { readonly kind: 'client' }
  ? Omit<LoadedClient, 'connector'>
  : undefined;

/** Entry of a thread that checks a module. */
parentPort?.postMessage(await check(workerData as CheckTask));

async function check(task: CheckTask): Promise<CheckedModule<CheckTask>> {
  if (task.kind === 'script') {
    await loadScript(task.file);
    return undefined;
  }
  const { connector, ...told } = await loadClient(task.client, task.file).catch(cause => {
    throw new Error(reasonOfImport(cause, task.file), { cause });
  });
  if (task.load !== undefined) await expectConnection(connector(task.load));
  return told;
}

/** Ignores connection errors, which the load reports. @throws PoolError CLIENT_NOT_USABLE if it opens no usable connection */
async function expectConnection(connect: () => Promise<{ close(): void }>): Promise<void> {
  try {
    (await connect()).close();
  } catch (error) {
    if (error instanceof PoolError && error.code === 'CLIENT_NOT_USABLE') throw error;
  }
}
