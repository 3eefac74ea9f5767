import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readResult } from '../src/main/run/results/read-result.ts';
import { createSuites } from './support/ledger.ts';
import { connectObserver } from './support/observed-server.ts';
import { startRedis } from './support/servers.ts';

/** The command that it says goes on. */
const commandIn = (stderr: string) => /^To go on with this ledger: (.*)$/m.exec(stderr)?.[1] ?? 'false';

test('an interrupt keeps what there is, and the command that it prints goes on from there', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = await connectObserver(server.url);
  const suites = await createSuites({ C1: 'first', C2: 'long', C3: 'last' });
  await suites.write('long', { rounds: 1000 });
  let interrupted = false;
  const stopped = await suites.run([server.url, '--seconds', '0.06'], (output, kill) => {
    if (interrupted || !output.includes('round 2/1000')) return;
    interrupted = true;
    kill('SIGINT');
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  expect(stopped.stdout).toMatch(/^INCOMPLETE: 1 of 3 /m);
  const before = await suites.ledger();
  expect(before.complete).toBe(false);
  expect(before.suites.map(({ name, state }) => [name, state])).toEqual([
    ['first', 'complete'],
    ['long', 'unfinished'],
    ['last', 'not run'],
  ]);
  expect(before.entries.slice(1).map(({ verdict, reason }) => [verdict, reason])).toEqual([
    [
      'not tested',
      'Its suite, long, did not run to its end. It was interrupted. What it had is in long/result.json.',
    ],
    ['not tested', 'Its suite, last, has not run yet.'],
  ]);
  const folder = await suites.ledgerFolder();
  const first = join(folder, 'first', 'result.json');
  const written = (await stat(first)).mtimeMs;

  await suites.write('long');
  const resumed = await suites.run(commandIn(stopped.stderr));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch('Claims: 2 of 3 suites');
  expect(resumed.stderr).toMatch('Suite 1 of 2: long');
  expect(resumed.stderr).not.toMatch('To go on');
  const after = await suites.ledger();
  expect(after.complete).toBe(true);
  expect(after.suites.map(({ state, seconds }) => [state, seconds])).toEqual(
    Array(3).fill(['complete', 0.06]),
  );
  expect(after).toMatchObject({ startedAt: before.startedAt, command: before.command });
  expect(after.entries[0]).toEqual(before.entries[0]);
  expect((await stat(first)).mtimeMs).toBe(written);
  expect(await redis.dbsize()).toBe(0);
});

test('a suite that was interrupted goes on after its finished rounds', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const suites = await createSuites({ C1: 'long' });
  await suites.write('long', { rounds: 8 });
  let interrupted = false;
  const stopped = await suites.run([server.url], (output, kill) => {
    if (interrupted || !output.includes('round 3/8')) return;
    interrupted = true;
    kill('SIGINT');
  });
  expect(stopped.code, stopped.stderr).toBe(130);
  const file = join(await suites.ledgerFolder(), 'long', 'result.json');
  const before = await readResult(file);
  const resumed = await suites.run(commandIn(stopped.stderr));
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(resumed.stderr).toMatch(/^Resumed: \d+ rounds/m);
  expect(resumed.stderr).not.toMatch('round 1/8');
  const after = await readResult(file);
  const [kept = { afterRounds: 0 }] = after.resumed ?? [];
  expect(kept.afterRounds).toBeGreaterThanOrEqual(2);
  for (const [index, { rounds }] of after.scenarios.entries()) {
    expect(rounds).toHaveLength(8);
    expect(rounds.slice(0, kept.afterRounds)).toEqual(
      before.scenarios[index]?.rounds.slice(0, kept.afterRounds),
    );
  }
});

test('a lost target ends all suites, and what was measured is kept', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const suites = await createSuites({ C1: 'first', C2: 'long', C3: 'last' });
  await suites.write('long', { rounds: 1000, timeoutMs: 200 });
  let stopping: Promise<void> | undefined;
  const { code, stderr } = await suites.run([server.url], output => {
    if (output.includes('round 2/1000')) stopping ??= server.stop();
  });
  await stopping;
  expect(code, stderr).toBe(1);
  expect(stderr).toMatch(/^poolbench: .*silent/m);
  expect(commandIn(stderr)).toMatch('--resume');
  const ledger = await suites.ledger();
  expect(ledger.suites.map(({ state }) => state)).toEqual(['complete', 'failed', 'not run']);
  const { complete, scenarios } = await readResult(
    join(await suites.ledgerFolder(), ledger.entries[1]?.result ?? ''),
  );
  expect(complete).toBe(false);
  expect(scenarios[0]?.rounds[0]?.completed).toBeGreaterThan(0);
});
