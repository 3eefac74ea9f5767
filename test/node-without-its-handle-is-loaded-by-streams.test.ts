import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

test('where Node hides what lies beneath its sockets, wire takes the streams of them and loses nothing', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: 'wire', workers: 4, pipeline: [1, 50] }],
    seconds: 0.1,
  });
  const asked = join(experiment.folder, 'asked');
  const preload = `--import ${new URL('./support/no-binding.mjs', import.meta.url).href}`;
  const { code, stderr } = await experiment.run([], { env: { NODE_OPTIONS: preload, ASKED_FOR: asked } });
  expect(code, stderr).toBe(0);
  expect(await readFile(asked, 'utf8')).toMatch(/^stream_wrap$/m);
  for (const { rounds } of (await experiment.result()).scenarios) {
    for (const round of rounds) {
      expect(round.completed).toBeGreaterThan(0);
      expect(round).toMatchObject({ issued: round.completed, failed: {}, unfinished: 0 });
      expect(round.serverCalls).toBe(round.completed);
    }
  }
});
