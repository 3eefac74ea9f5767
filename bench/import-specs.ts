/**
 * How many test definitions of redis-benchmarks-specification become configs that run: imports each file of a folder, makes
 * it small, and runs it once against a server, whose keys are lost.
 *
 * `npx tsx bench/import-specs.ts FOLDER URL`, with the folder `test-suites` of a copy of that repository
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { importDefinition } from '../src/main/import/import-definition.ts';
import { type ExperimentConfig, run } from '../src/main/library.ts';

const [folder, url] = process.argv.slice(2);
if (folder === undefined || url === undefined)
  throw new Error('expected the folder of the definitions and the URL of a server');

/** A short run of few keys: whether it works, not how fast. */
const small = { keys: 1000, members: 11_000, elements: 50_000, workers: 4, pipeline: 10, seconds: 0.1 };

type Limited = Record<string, unknown> & { readonly keys: number; readonly members?: number };

function shrink(config: Readonly<Record<string, unknown>>): ExperimentConfig {
  const workload = config.workload as Limited;
  const [group] = config.scenarios as [Readonly<Record<string, unknown>>];
  const members = Math.min(workload.members ?? 10, small.members);
  const keys = Math.min(workload.keys, small.keys, Math.max(1, Math.floor(small.elements / members)));
  const subscribers = Math.min(Number(workload.subscribers ?? 0), 10);
  return {
    ...config,
    target: { server: 'any', url },
    workload: { ...workload, keys, members, subscribers },
    scenarios: [
      {
        ...group,
        pools: 1,
        workers: small.workers,
        pipeline: Math.min(Number(group.pipeline), small.pipeline),
        arrival: { kind: 'closed' },
      },
    ],
    rounds: 1,
    seconds: small.seconds,
    warmupSeconds: 0,
  } as ExperimentConfig;
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
    const { results } = await run(shrink(imported.config), { force: true, noStandIn: true });
    const [round] = results[0].scenarios[0]?.rounds ?? [];
    const failed = Object.entries(round?.failed ?? {}).map(([code, count]) => `${count} ${code}`);
    if (round === undefined || round.completed === 0 || failed.length > 0)
      return { file, state: 'not run', why: `${round?.completed} completed, failed: ${failed.join(', ')}` };
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
