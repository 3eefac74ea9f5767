import { describe, expect, test } from 'vitest';
import { resultSchema } from '../../src/aggregate/result.ts';
import { accountOf, findImbalances } from '../../src/aggregate/stats/accounting.ts';
import { mergeSamples } from '../../src/aggregate/stats/merge.ts';
import { SharedState } from '../../src/workers/shared-state.ts';
import { allClients } from '../support/connections.ts';
import { plainWorkload } from '../support/plain-workload.ts';
import { buildResult, buildScenario } from '../support/result-builder.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { runOne, stopAfter } from '../support/threads.ts';

/** What every object has by the same name, and a usual one. */
const codes = ['constructor', '__proto__', 'toString', 'OOM'];

/** A server that knows the login, and answers the load with one error after another. */
async function startRefusing(): Promise<number> {
  let answered = 0;
  const { port } = await startScriptedServer((request, reply) => {
    if (request[0] === 'HELLO') reply('%1\r\n+server\r\n+redis\r\n');
    else if (['GET', 'SET'].includes(request[0] ?? '')) {
      // The last one is no code: it is another one in every reply.
      const code = [...codes, `idx${answered}:`][answered++ % (codes.length + 1)];
      // Slowly, so that a busy machine has time for all else.
      setTimeout(() => reply(`-${code} refused\r\n`), 5);
    } else reply('+OK\r\n');
  });
  return port;
}

describe.each(allClients)('%s', client => {
  test('error codes with the names of properties keep the books, from the reply to result.json and back', async () => {
    // Each batch contains all codes.
    const pipeline = codes.length + 1;
    const workload = { ...plainWorkload({ keys: 100, valueBytes: 16, readShare: 0.5 }), apart: true };
    const load = { client, seconds: 10, pipeline, workload };
    const { loads, ...sample } = await runOne(await startRefusing(), load, stopAfter(10 * pipeline));
    const round = mergeSamples([structuredClone({ ...sample, loads })], {
      ...{ round: 1, startedAt: null, warmup: undefined, serverCalls: null, cuts: 0, basePingMs: null },
      ...{ clientCpuMicros: 1, machineBusyShare: 0, serverCores: null, serverMainThreadCores: null },
    });
    const written = JSON.stringify(buildResult([buildScenario({}, [round])], { claims: [] }));
    const read = resultSchema.parse(JSON.parse(written));
    const [scenario] = read.scenarios;
    const failed = scenario?.rounds[0]?.failed ?? {};
    const counted = [...codes, 'ERR'].toSorted();
    expect(Object.keys(failed).toSorted()).toEqual(counted);
    for (const count of Object.values(failed)) expect(count).toBeGreaterThan(0);
    const { issued, completed, unfinished, failed: all } = accountOf(scenario?.rounds ?? []);
    expect(completed).toBe(0);
    expect(all + unfinished).toBe(issued);
    expect(findImbalances(read)).toEqual([]);
    const byCommand = scenario?.rounds[0]?.commands.flatMap(command => Object.values(command.failed)) ?? [];
    expect(byCommand.reduce((sum, count) => sum + count, 0)).toBe(all);
    // What is shown while it lasts passes through shared memory.
    const shared = SharedState.forThreads(1);
    shared.publishFailures(0, loads[0]?.failed ?? {});
    expect(Object.keys(shared.failures(0)).toSorted()).toEqual(counted);
  });
});
