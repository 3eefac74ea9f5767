import { readdir } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { RoundResult } from '../../src/aggregate/result.ts';
import { clientNames } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { createExperiment, type TestExperiment, unhurried } from '../support/experiment.ts';
import type { RunFault, RunSeen } from '../support/faults/run-fault.ts';
import { runFaults } from '../support/faults/run-faults.ts';
import { connectObserver, processId } from '../support/observed-server.ts';
import type { Outcome } from '../support/poolbench.ts';
import { ofTest, shareServer, startRedis } from '../support/servers.ts';

for (const fault of runFaults) {
  test(fault.name, async ({ task }) => {
    task.meta.seen = [await endure(fault)];
  });
}

/**
 * Runs poolbench with both clients or one, inflicts the fault when the second round begins, and holds its end against the
 * contract, and what it leaves against what must be true of every run.
 */
async function endure(fault: RunFault): Promise<RunSeen> {
  const server = await (fault.spoilsServer ? ofTest(startRedis()) : shareServer());
  const observer = await connectObserver(server.url);
  const pid = await processId(observer);
  // A server that is stopped can neither be ended nor serve the next test.
  onTestFinished(() => {
    process.kill(pid, 'SIGCONT');
  });
  const clients = fault.client === undefined ? clientNames : [fault.client];
  const experiment = await createExperiment(server.url, {
    scenarios: [{ client: clients, workers: 4, pools: fault.threads ?? 1, ...unhurried }],
    rounds: fault.rounds ?? 1000,
    // A thread without a core until its window is over makes another attempt, and after three there are no figures.
    seconds: 0.2,
    // The server's count would have those of a warm-up in it that were lost.
    warmupSeconds: 0,
    ...fault.config,
  });
  const scene = { observer, pid, folder: experiment.folder };
  await fault.prepare?.(scene);
  const running = experiment.start([], fault.started?.(experiment.folder));
  await running.said('round 2/');
  await fault.inflict(scene);
  const outcome = await running.outcome;
  await fault.undo?.(scene);

  const said = holdEnd(fault, outcome).replaceAll(experiment.folder, '…');
  const result = await experiment.result();
  const rounds = result.scenarios.flatMap(scenario => scenario.rounds);
  // All of the first round.
  expect(rounds.length, 'rounds kept').toBeGreaterThanOrEqual(clients.length);
  if (fault.rounds === undefined) expect(result.complete).toBe(false);
  else expect(rounds.length, 'all rounds are kept').toBe(fault.rounds * clients.length);
  for (const round of rounds) holdRound(round);
  const keysLeft = await nothingIsLeft(fault, experiment, observer);
  return { kind: 'run', fault: fault.name, exit: outcome.code, said, kept: rounds.length, keysLeft };
}

/** The exit code, and one message; nothing else on the way out but what was measured. */
function holdEnd({ exit, code, says }: RunFault, { code: ended, signal, stderr, stdout }: Outcome): string {
  expect({ ended, signal }, stderr).toEqual({ ended: exit, signal: null });
  const said = stderr.split('\n').find(line => line.startsWith('poolbench: ')) ?? '';
  if (says === undefined) expect(said).toBe('');
  else expect(said, stderr).toMatch(says);
  if (says === undefined || code !== undefined) expect(stderr).not.toMatch(/^\s+at |defect/m);
  expect(stdout).toMatch(/done\/s/);
  return said.replace('poolbench: ', '');
}

/** The books, the histograms and the server's count of a round that is in the results. */
function holdRound(round: RoundResult): void {
  const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
  expect(round.issued, 'the books balance').toBe(round.completed + failed + round.unfinished);
  for (const kind of ['service', 'response'] as const) {
    expect(round[kind].count).toBe(round.completed);
    const histogram = decodeHistogram(round.histograms[kind]);
    expect(histogram.totalCount).toBe(round.completed);
    histogram.destroy();
    // The drain may take as long as the time limit, and a second.
    expect(round[kind].max).toBeLessThan((round.seconds + 1 + 5) * 1000);
  }
  if (round.serverCalls === null) return;
  expect(round.serverCalls, 'the server ran what completed').toBeGreaterThanOrEqual(round.completed);
  expect(round.serverCalls, 'and no more than was issued').toBeLessThanOrEqual(round.issued);
}

/** No connection and no key of the run, but where the fault lets nobody remove them; no file but its results. */
async function nothingIsLeft(
  { keysLeft }: RunFault,
  experiment: TestExperiment,
  observer: Awaited<ReturnType<typeof connectObserver>>,
): Promise<number> {
  const ours = async () =>
    String(await observer.client('LIST'))
      .split('\n')
      .filter(line => / name=poolbench/.test(line));
  await expect.poll(ours, { message: 'connections left' }).toEqual([]);
  const keys = await observer.dbsize();
  if (keysLeft === undefined) expect(keys, 'keys left').toBe(0);
  const files = await readdir(await experiment.resultsFolder());
  expect(files).toEqual(expect.arrayContaining(['result.json', 'report.md', 'report.html', 'scenarios.csv']));
  expect(files.filter(name => name.endsWith('.part'))).toEqual([]);
  return keys;
}
