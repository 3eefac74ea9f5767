import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { parseCsv } from '../support/parse-csv.ts';
import { ofTest, startValkey } from '../support/servers.ts';

test('over pools and threads each stage has what the integral of its rate says, and the server agrees', async () => {
  const server = await ofTest(startValkey());
  const stages = [
    { seconds: 0.1, rate: 400, rampTo: null },
    { seconds: 0.2, rate: 400, rampTo: 1600 },
    { seconds: 0.1, rate: 0, rampTo: null },
    { seconds: 0.1, rate: 200, rampTo: 0 },
  ];
  const experiment = await createExperiment(server.url, {
    target: { server: 'valkey', url: server.url },
    scenarios: [
      { client: 'wire', workers: 12, pools: 3, poolsPerThread: 2, arrival: { kind: 'constant', stages } },
    ],
    // The config does not say it.
    seconds: undefined,
  });
  const { code, stdout, stderr } = await experiment.run();
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^0\.1 to 0\.3 +400\/s to 1600\/s +200 /m);

  const { config, scenarios } = await experiment.result();
  expect(config.seconds).toBe(0.5);
  const id = 'wire-optimized-3pools-12workers-2perThread-constant400x0.1s+400to1600x0.2s+0x0.1s+200to0x0.1s';
  expect(scenarios.map(scenario => scenario.id)).toEqual([id]);
  const [round = expect.fail()] = scenarios[0]?.rounds ?? [];
  expect(round).toMatchObject({ seconds: 0.5, failed: {}, unfinished: 0, serverCalls: round.completed });
  expect(round.openLoop).toMatchObject({ rate: 500, offered: 250, sent: round.completed });
  const { stages: measured = [] } = round.openLoop ?? {};
  expect(measured.map(({ seconds, rate, rampTo }) => ({ seconds, rate, rampTo }))).toEqual(stages);
  expect(measured.map(({ offered }) => offered)).toEqual([40, 200, 0, 10]);
  // A busy machine may leave some unsent.
  expect(measured.reduce((sum, { completed }) => sum + completed, 0)).toBe(round.completed);
  expect(measured[2]).toMatchObject({ completed: 0, p50: null, p99: null });

  const folder = await experiment.resultsFolder();
  for (const name of ['report.md', 'report.html'])
    expect(await readFile(join(folder, name), 'utf8')).toContain(`Stages of ${id}`);
  const [names = [], row = []] = parseCsv(await readFile(join(folder, 'scenarios.csv'), 'utf8'));
  expect(row[names.indexOf('stages')]).toBe('400x0.1s+400to1600x0.2s+0x0.1s+200to0x0.1s');
});
