import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { metricValue, parseExposition } from '../support/exposition.ts';
import { runPoolbench } from '../support/poolbench.ts';
import { ownPort } from '../support/ports.ts';
import { startProxy } from '../support/proxy.ts';
import { shareServer } from '../support/servers.ts';

const completed = 'poolbench_operations_completed_total';

const outside = Object.values(networkInterfaces())
  .flat()
  .find(address => address?.family === 'IPv4' && !address.internal);

test('scraped to its end, on its port and by this machine alone: counters never fall; at the end, they and the pushed ones agree with the result', async () => {
  const proxy = await startProxy((await shareServer()).port);
  /** What the run asks the server after its last measurement. */
  const held: (() => void)[] = [];
  const experiment = await createExperiment(`redis://127.0.0.1:${proxy.port}`, {
    scenarios: [{ client: 'wire', workers: [4, 6], pools: 2, ...unhurried }],
    rounds: 2,
    seconds: 0.4,
  });
  let pushed = '';
  const receiver = createHttpServer(async (request, response) => {
    pushed = '';
    for await (const chunk of request) pushed += chunk;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void receiver.close());
  await once(receiver, 'listening');
  const { port: receiverPort } = receiver.address() as AddressInfo;
  let output = '';
  const port = await ownPort();
  const flags = ['--prometheus', String(port), '--otlp', `http://127.0.0.1:${receiverPort}`];
  const running = experiment.run(flags, {
    onOutput(text) {
      output = text;
      // It has keys to remove, and so cannot end before it has been scraped once more.
      if (/^round 2\/2 +2\/2 /m.test(output)) proxy.admission ??= pass => held.push(pass);
    },
  });
  const url = `http://127.0.0.1:${port}/metrics`;
  await expect.poll(() => output.split('\n')[0]).toBe(`Metrics: ${url}`);
  let before = 0;
  const phases = new Set<string>();
  let usedMemory: number | undefined;
  let isChecked = false;
  let last: ReturnType<typeof parseExposition> | undefined;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response === undefined) break;
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    last = parseExposition(await response.text());
    usedMemory = metricValue(last, 'poolbench_server_used_memory_bytes') ?? usedMemory;
    const now = metricValue(last, completed) ?? Number.NaN;
    expect(now).toBeGreaterThanOrEqual(before);
    before = now;
    phases.add(last.get('poolbench_running_info')?.samples[0]?.labels.phase ?? 'none');
    if (phases.has('measuring') && !isChecked) {
      isChecked = true;
      expect(await status(url, 'HEAD')).toBe(200);
      expect(await status(url, 'POST')).toBe(405);
      expect(await status(new URL('/', url))).toBe(404);
      // Only this machine is served.
      if (outside !== undefined)
        expect(await status(url.replace('127.0.0.1', outside.address))).toBeUndefined();
    }
    if (metricValue(last, 'poolbench_measurements_finished') === 4) {
      proxy.admission = pass => pass();
      for (const pass of held.splice(0)) pass();
    }
    await sleep(50);
  }
  const { code, stderr } = await running;
  expect(code, stderr).toBe(0);
  expect(isChecked).toBe(true);
  expect(usedMemory).toBeGreaterThan(0);
  expect(last).toBeDefined();
  if (last === undefined) return;
  const { scenarios } = await experiment.result();
  const rounds = scenarios.flatMap(scenario => scenario.rounds);
  expect(rounds).toHaveLength(4);
  expect(metricValue(last, 'poolbench_measurements_finished')).toBe(4);
  expect(metricValue(last, completed)).toBe(rounds.reduce((sum, round) => sum + round.completed, 0));
  for (const { id, rounds } of scenarios) {
    for (const kind of ['service', 'response'] as const) {
      const count = rounds.reduce((sum, round) => sum + round[kind].count, 0);
      expect(metricValue(last, `poolbench_${kind}_seconds_count`, { scenario: id })).toBe(count);
    }
  }

  const [{ scopeMetrics }] = JSON.parse(pushed).resourceMetrics;
  const { sum }: { sum: { dataPoints: { asDouble: number }[] } } = scopeMetrics[0].metrics.find(
    (metric: { name: string }) => metric.name === completed,
  );
  expect(sum.dataPoints.reduce((total, { asDouble }) => total + asDouble, 0)).toBe(
    metricValue(last, completed),
  );
});

test('a receiver that is gone costs a warning, and no result', async () => {
  const server = await shareServer();
  const experiment = await createExperiment(server.url);
  const gone = await experiment.run(['--otlp', `http://127.0.0.1:${await ownPort()}`, '--quiet']);
  expect(gone.code, gone.stderr).toBe(0);
  expect(gone.stderr).toMatch(/warning: the last metrics were not pushed .*ECONNREFUSED/);
  expect((await experiment.result()).complete).toBe(true);
  const wrong = await experiment.run(['--otlp', 'here']);
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/^poolbench: expected --otlp/);
});

async function status(url: string | URL, method = 'GET'): Promise<number | undefined> {
  return await fetch(url, { method }).then(
    response => response.status,
    () => undefined,
  );
}

test('a port that is taken ends with 2 and one message, before any load', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  // Nothing listens at the target: it is not looked for.
  const experiment = await createExperiment('redis://bench:s3cret@127.0.0.1:1/0');
  const taken = await experiment.run(['--prometheus', String(port)]);
  expect(taken).toMatchObject({ code: 2, stdout: '' });
  expect(taken.stderr).toMatch(new RegExp(`^poolbench: .*127\\.0\\.0\\.1:${port}.*--prometheus.*\\n$`));
  const wrong = await experiment.run(['--prometheus', 'x']);
  expect(wrong).toMatchObject({ code: 2, stdout: '' });
  expect(wrong.stderr).toMatch(/^poolbench: expected --prometheus PORT/);
  const useless = await runPoolbench(['check', experiment.configPath, '--prometheus', '9400']);
  expect(useless.stderr).toMatch(/check.*--prometheus/);
});
