import { cpus, setPriority } from 'node:os';
import { expect, type TestContext } from 'vitest';
import type { LimitedBy, RoundResult } from '../../src/aggregate/result.ts';
import { createExperiment } from './experiment.ts';
import { connectObserver, processId } from './observed-server.ts';
import { startRedis, type TestServer, type TestServerOptions } from './servers.ts';
import { measureUndisturbed } from './undisturbed.ts';

/** Cores that others must have taken for a test to believe that they were in the way. */
const noticedNeighbours = 0.25;

interface LimitOptions {
  /** Every worker thread of the run burns CPU without end. */
  readonly busyThreads?: boolean;
}

/** A redis-server that goes before other programs where the system allows it; it ends with the test. */
export async function startFirstInLine(
  context: TestContext,
  options?: TestServerOptions,
): Promise<TestServer> {
  const server = await startRedis(options);
  context.onTestFinished(server.stop);
  const pid = await processId(await connectObserver(server.url));
  try {
    setPriority(pid, -15);
  } catch {
    // Then it takes its turn with the others.
  }
  return server;
}

/**
 * Runs a config of one scenario and expects what limited it, as "resource: evidence". If other programs took the cores of
 * this machine meanwhile, another answer can be right, but it does not answer the test's question: the run is repeated, and
 * in the end the test is skipped.
 */
export async function expectLimit(
  context: TestContext,
  url: string,
  config: Readonly<Record<string, unknown>>,
  expected: RegExp,
  { busyThreads = false }: LimitOptions = {},
): Promise<void> {
  const preloaded = ['first-in-line.mjs', ...(busyThreads ? ['busy-threads.mjs'] : [])];
  const imports = preloaded.map(file => `--import ${new URL(file, import.meta.url).href}`);
  const measure = async () => {
    const experiment = await createExperiment(url, { seconds: 0.3, ...config });
    // Threads that are made in this process heed it, too: it need not be one of the run's own.
    const env = { NODE_OPTIONS: imports.join(' ') };
    const { code, stderr } = await experiment.run([], { env, ownProcess: false });
    if (code !== 0) throw new Error(`ended with ${code}:\n${stderr}`);
    const [measured] = (await experiment.result()).scenarios;
    const [round] = measured?.rounds ?? [];
    if (measured === undefined || round === undefined) throw new Error('nothing was measured');
    return { limitedBy: measured.limitedBy, round };
  };
  const { limitedBy } = await measureUndisturbed(
    context,
    measure,
    measured => expected.test(say(measured.limitedBy)) || neighbours(measured.round) < noticedNeighbours,
  );
  expect(say(limitedBy)).toMatch(expected);
}

function say({ resource, evidence }: LimitedBy): string {
  return `${resource}: ${evidence}`;
}

/** Cores in use by anything but the client and the server. */
function neighbours({ cpu }: RoundResult): number {
  return (cpu.machineBusyShare ?? 0) * cpus().length - cpu.clientCores - (cpu.serverCores ?? 0);
}
