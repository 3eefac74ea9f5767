import { expect, onTestFinished, test } from 'vitest';
import { createExperiment } from './support/experiment.ts';
import { startRedis } from './support/servers.ts';

/** Nobody answers at the master's address; a replica of it serves reads and refuses writes all the same. */
const replica = ['--replicaof', '127.0.0.1', '1'];
const full = ['--maxmemory', '1mb', '--maxmemory-policy', 'noeviction'];

test.each([
  ['READONLY', replica, /the server is a read-only replica/],
  ['OOM', full, /the keys need about .* of maxmemory 1\.0 MiB .* are used/],
])('%s: the run goes on to its end, and says so', async (failure, args, warning) => {
  const server = await startRedis({ args });
  onTestFinished(() => server.stop());
  const config = {
    scenarios: [{ client: ['ioredis', 'wire'], workers: 4, pipeline: [1, 10] }],
    rounds: 2,
    seconds: 0.1,
  };
  const strict = await createExperiment(server.url, config);
  const { code, stdout, stderr } = await strict.run();
  expect(code).toBe(1);
  expect(stderr).toMatch(/\npoolbench: .* 1 % .*maxFailedShare.* \d+\.\d+ %\n$/);
  expect(stderr).not.toMatch(/^\s+at |defect/m);
  expect(stderr).toMatch(warning);
  expect(stderr).toMatch(/warning: the server refuses writes: /);
  expect(stderr).toMatch(new RegExp(`warning: the prefill was refused.*${failure}`));
  expect(stdout).toMatch(new RegExp(`Failed: [\\d,]+ ${failure}`));

  const result = await strict.result();
  expect(result.complete).toBe(true);
  expect(result.warnings.join('\n')).toMatch(warning);
  expect(result.scenarios).toHaveLength(4);
  for (const { id, rounds, summary } of result.scenarios) {
    expect(rounds).toHaveLength(2);
    // Reads are answered, and find nothing: they complete. What failed is no throughput.
    expect(
      rounds.some(({ completed }) => completed > 0),
      id,
    ).toBe(true);
    expect(
      rounds.some(({ failed }) => Number(failed[failure]) > 0),
      id,
    ).toBe(true);
    for (const { issued, completed, failed, unfinished, misses, opsPerSecond, seconds, service } of rounds) {
      const { [failure]: refused = 0, ...others } = failed;
      expect(others, id).toEqual({});
      expect(issued).toBe(completed + refused + unfinished);
      expect(misses).toBe(completed);
      expect(opsPerSecond).toBeCloseTo(completed / seconds, 6);
      expect(service.count).toBe(completed);
    }
    expect(summary?.failedShare).toBeGreaterThan(0);
  }

  const lenient = await createExperiment(server.url, { seconds: 0.05, maxFailedShare: 1 });
  expect((await lenient.run()).code).toBe(0);
});
