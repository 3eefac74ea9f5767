import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loopbackAddress } from '../../local-addresses.ts';
import { freePort, type StartedServer } from '../server-process.ts';

/**
 * Starts the embedded server in a process of its own, so that it takes no time from the coordinator's event loop. It
 * ends when this process ends, however that happens.
 * @param options.port taken if it is free, else a free one
 * @throws Error that says why it did not come up
 */
export async function startEmbedded(options: { port?: number | undefined } = {}): Promise<StartedServer> {
  // From the sources (tsx, vitest) too it is the compiled entry that runs: a forked process has no loader.
  const entry = new URL('./process.js', import.meta.url.replace(/\/src\/(main\/.*)\.ts$/, '/dist/$1.js'));
  const wanted = await freePort(options.port);
  const child = fork(fileURLToPath(entry), [String(wanted)], { execArgv: [], stdio: 'ignore' });
  const ended = new Promise(resolve => child.once('exit', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => reject(new Error(`the embedded server ended at once (exit code ${code})`)));
    child.once('message', (message: { port?: number; error?: string }) => {
      if (message.port === undefined)
        reject(new Error(`the embedded server did not start: ${message.error}`));
      else resolve(message.port);
    });
  });
  // Neither the process nor its channel keeps a finished run from exiting.
  child.unref();
  child.channel?.unref();
  return {
    host: loopbackAddress(),
    port,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.ref();
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
