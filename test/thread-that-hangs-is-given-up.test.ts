import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { SharedState } from '../src/workers/shared-state.ts';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';
import { buildTask } from './support/threads.ts';

const compiled = (path: string) => JSON.stringify(new URL(`../dist/${path}`, import.meta.url).href);

test('a thread that never comes back from a loop is ended, and so is the run', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const { folder } = await createExperiment(server.url);
  const file = join(folder, 'hang-now');
  await writeFile(file, '');
  const tasks = [0, 1].map(thread =>
    buildTask(server.port, SharedState.forThreads(2), { seconds: 60 }, thread),
  );
  const script = `
    import { ThreadHung, Threads } from ${compiled('main/run/threads.js')};
    import { SharedState } from ${compiled('workers/shared-state.js')};
    const shared = SharedState.forThreads(2);
    const tasks = JSON.parse(process.env.TASKS).map(task => ({ ...task, shared: shared.buffer }));
    const threads = new Threads(2, { secondsWithoutHeartbeat: 2 });
    await threads.run(tasks, shared, () => {}).catch(error => console.log(error instanceof ThreadHung, error.message));
    await threads.close();
    console.log('closed');
  `;
  const faulty = new URL('support/faults/faulty-thread.mjs', import.meta.url).href;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    // Where it is not given up, it must not outlive the test.
    timeout: 20_000,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      TASKS: JSON.stringify(tasks),
      FAULTY_THREAD_DOES: 'hang',
      FAULTY_THREAD_FILE: file,
      NODE_OPTIONS: `--import ${faulty}`,
    },
  });
  expect(stdout).toMatch(/^true thread [12] has not responded for 2 s\nclosed\n$/);
});
