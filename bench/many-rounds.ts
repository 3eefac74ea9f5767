import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportFile, resultFile, resultName } from '../src/aggregate/report/files/result-files.ts';
import type { RoundResult } from '../src/aggregate/result.ts';
import { mergeSamples } from '../src/aggregate/stats/merge.ts';
import { parseConfig } from '../src/main/experiment/read-config.ts';
import { expandScenarios } from '../src/main/experiment/scenarios.ts';
import { assembleResult } from '../src/main/run/assemble.ts';
import { writeFiles } from '../src/main/run/results/results-folder.ts';
import { resolveTarget } from '../src/main/server/find-target.ts';
import type { ThreadSample } from '../src/workers/contract.ts';
import type { Question } from './question.ts';
import { syntheticContext, syntheticSample } from './synthetic-sample.ts';

const roundCount = 20;
const workers = Array.from({ length: 100 }, (_, index) => index + 2);

/** What it takes to assemble and write the result after each of 20 rounds of 200 scenarios. */
export const ask: Question = async ({ server, report }) => {
  const url = `redis://127.0.0.1:${server.port}/0`;
  const config = {
    name: 'many',
    target: { server: 'redis', url },
    scenarios: [{ pools: [1, 2], workers, client: 'wire' }],
  };
  const experiment = parseConfig(JSON.stringify(config), 'bench');
  const scenarios = expandScenarios(experiment.scenarios);
  const target = await resolveTarget({ server: 'redis', url, say: () => {}, standInAllowed: false });
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-rounds-'));
  // A few are enough: merged, each is a result of its own.
  const samples = Array.from({ length: 20 }, (_, seed) => syntheticSample(0, 1, seed));
  const rounds = new Map<string, RoundResult[]>();
  const steps: {
    round: number;
    assembleMs: number;
    writeMs: number;
    megabytes: number;
    heapMegabytes: number;
  }[] = [];
  try {
    for (let round = 1; round <= roundCount; round++) {
      for (const [index, { id }] of scenarios.entries()) {
        const sample = samples[(round * 7 + index) % samples.length] as ThreadSample;
        rounds.set(id, [...(rounds.get(id) ?? []), mergeSamples([sample], syntheticContext(round))]);
      }
      const startMs = performance.now();
      const result = assembleResult({
        ...{ name: 'many', session: undefined, experiment, target, scenarios, rounds, clients: new Map() },
        ...{ populations: [], plannedRounds: () => experiment.rounds, ended: undefined },
        ...{
          blocks: [],
          startedAt: new Date(),
          warnings: [],
          resumed: undefined,
          complete: round === roundCount,
        },
        final: round === roundCount,
      });
      const assembledMs = performance.now();
      await writeFiles(folder, [resultFile(result), reportFile(result)]);
      const writtenMs = performance.now();
      const { size } = await stat(join(folder, resultName));
      steps.push({
        round,
        assembleMs: assembledMs - startMs,
        writeMs: writtenMs - assembledMs,
        megabytes: size / 1e6,
        heapMegabytes: process.memoryUsage().heapUsed / 1e6,
      });
    }
  } finally {
    await target.stop();
    await rm(folder, { recursive: true });
  }
  report.title(`${scenarios.length} scenarios × ${roundCount} rounds, written after every round`);
  report.table(
    ['after round', 'assemble ms', 'render and write ms', 'result.json MB', 'heap MB'],
    steps
      .filter(({ round }) => [1, 5, 10, 15, 20].includes(round))
      .map(({ round, assembleMs, writeMs, megabytes, heapMegabytes }) =>
        [round, assembleMs, writeMs, megabytes, heapMegabytes].map(value => value.toFixed(0)),
      ),
  );
  const total = steps.reduce((sum, { assembleMs, writeMs }) => sum + assembleMs + writeMs, 0) / 1000;
  report.say(`All rounds together: ${total.toFixed(1)} s.\n`);
};
