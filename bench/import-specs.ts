/**
 * How many test definitions of redis-benchmarks-specification become configs that run: imports each file of a folder, makes
 * it small, and loads a server on this machine with it for a moment. All keys of that server are lost.
 *
 * `npx tsx bench/import-specs.ts FOLDER PORT`, with the folder `test-suites` of a copy of that repository
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { sumByCode } from '../src/aggregate/stats/accounting.ts';
import { checkConfig } from '../src/main/experiment/read-config.ts';
import { workloadTask } from '../src/main/experiment/workload.ts';
import { importDefinition } from '../src/main/import/import-definition.ts';
import { connectControl } from '../src/main/server/control.ts';
import { DataSet } from '../src/main/server/data-set.ts';
import { requireCommands } from '../src/main/server/required-commands.ts';
import { nowNs } from '../src/pool/clock.ts';
import type { WorkloadTask } from '../src/workers/contract.ts';
import { SharedState } from '../src/workers/shared-state.ts';
import runTask from '../src/workers/thread.ts';
import { poolTask } from './load-arm.ts';

const [folder, givenPort] = process.argv.slice(2);
const port = Number(givenPort);
if (folder === undefined || !(port > 0))
  throw new Error('expected the folder of the definitions and the port of a server');

/** A short load of few keys: whether it works, not how fast. */
const small = { keys: 1000, members: 11_000, elements: 30_000, workers: 4, pipeline: 10, seconds: 0.1 };
const keyPrefix = 'import:';
const control = await connectControl(
  { host: '127.0.0.1', port, tls: false, database: 0 },
  { timeoutMs: 10_000 },
);

function shrink(task: WorkloadTask): WorkloadTask {
  const members = Math.min(task.members, small.members);
  const keys = Math.min(task.keys, small.keys, Math.max(1, Math.floor(small.elements / members)));
  return { ...task, keys, members, ...(task.subscribers === undefined ? {} : { subscribers: 10 }) };
}

/** Writes the data, and loads for a moment as a run does. */
async function load(workload: WorkloadTask, pipeline: number) {
  await control.call('FLUSHALL');
  const space = { prefix: keyPrefix, keys: 0, token: 'a token', claimed: true, warnings: [] };
  const warnings: string[] = [];
  await new DataSet(control, space, { seed: 1, workload, warn: line => warnings.push(line) }).write();
  const shared = SharedState.forThreads(1);
  const options = {
    client: 'wire',
    port,
    connections: small.workers,
    pipeline,
    seconds: small.seconds,
  } as const;
  const task = poolTask(options, shared);
  const pools = task.pools.map(pool => ({ ...pool, keys: workload.keys }));
  const running = runTask({ ...task, pools, workload, keyPrefix, warmupSeconds: 0 });
  let ended = false;
  const end = () => {
    ended = true;
  };
  running.then(end, end);
  while (shared.ready === 0 && !ended) await sleep(1);
  const startNs = nowNs();
  shared.openWindow(startNs);
  shared.release(startNs);
  const outcome = await running;
  if ('refused' in outcome) throw new Error(outcome.refused);
  const { deliveries } = outcome;
  return {
    completed: outcome.loads.reduce((sum, { completed }) => sum + completed, 0),
    failed: sumByCode(outcome.loads.map(({ failed }) => failed)),
    warnings,
    lost: deliveries === undefined ? 0 : deliveries.expected - deliveries.received,
  };
}

interface Outcome {
  readonly file: string;
  readonly state: 'ran' | 'ran in part' | 'not run' | 'not imported';
  readonly why: string;
}

async function tryOne(file: string): Promise<Outcome> {
  let imported: ReturnType<typeof importDefinition>;
  try {
    imported = importDefinition(parse(readFileSync(join(folder ?? '', file), 'utf8')), file);
  } catch (error) {
    return { file, state: 'not imported', why: (error as Error).message };
  }
  const missing = imported.notes.filter(note => /is not sent|is not imported/.test(note));
  try {
    const { workload, scenarios } = checkConfig(imported.config, file);
    const task = shrink(workloadTask(workload));
    await requireCommands(control, task.commands);
    const pipeline = Math.min(small.pipeline, ...(scenarios[0]?.pipeline ?? []));
    const { completed, failed, warnings, lost } = await load(task, pipeline);
    const wrong = [
      ...Object.entries(failed).map(([code, count]) => `${count} ${code}`),
      ...warnings,
      ...(lost === 0 ? [] : [`${lost} messages lost`]),
    ];
    if (completed === 0 || wrong.length > 0)
      return { file, state: 'not run', why: `${completed} completed, but: ${wrong.join(', ')}` };
    return { file, state: missing.length > 0 ? 'ran in part' : 'ran', why: missing.join(' ') };
  } catch (error) {
    return { file, state: 'not run', why: (error as Error).message };
  }
}

const files = readdirSync(folder)
  .filter(file => file.endsWith('.yml') && file !== 'defaults.yml')
  .toSorted();
const outcomes: Outcome[] = [];
for (const file of files) {
  const outcome = await tryOne(file);
  outcomes.push(outcome);
  if (outcome.state !== 'ran')
    process.stdout.write(`${outcome.state}\t${file}\t${outcome.why.slice(0, 300)}\n`);
}
for (const state of ['ran', 'ran in part', 'not run', 'not imported'] as const)
  process.stdout.write(`${state}: ${outcomes.filter(outcome => outcome.state === state).length}\n`);
control.close();
