import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Ledger, ledgerSchema } from '../../src/aggregate/claims/ledger.ts';
import type { Suite } from '../../src/main/run/claims/plan-suites.ts';
import { unhurried } from './experiment.ts';
import { runProgram } from './poolbench.ts';

const program = new URL('claims-of-suites.mjs', import.meta.url);

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A few suites in a folder of the test's own, which goes when the test is over. */
interface TestSuites {
  readonly folder: string;
  /** Writes a suite's config anew, or any other. */
  write(name: string, config?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Runs `claims` with these arguments to its end; a string is a command as a user would type it. */
  run(args: readonly string[] | string, onOutput?: OnOutput): Promise<Ended>;
  /** Where the one ledger is. */
  ledgerFolder(): Promise<string>;
  /** The one ledger, held against its schema. */
  ledger(): Promise<Ledger>;
}

/** The words that a shell makes of a command. */
function wordsOf(command: string): string[] {
  return execFileSync('sh', ['-c', `for word in ${command}; do echo "$word"; done`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

type OnOutput = (output: string, kill: (signal: NodeJS.Signals) => void) => void;

/** Claims and the suite of each; the suite called versus compares with these opponents. */
export async function createSuites(
  suiteOf: Readonly<Record<string, string>>,
  opponents: Suite['opponents'] = { redis: 'none.json', valkey: 'none.json' },
): Promise<TestSuites> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const out = join(folder, 'results');
  const write: TestSuites['write'] = async (name, config = {}) => {
    const path = join(folder, `${name}.json`);
    const written = {
      name,
      target: { server: 'any', url: 'redis://localhost:1' },
      workload: { keys: 200 },
      scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
      rounds: 1,
      seconds: 0.15,
      warmupSeconds: 0.05,
      ...config,
    };
    await writeFile(path, JSON.stringify(written));
    return path;
  };
  const suites: Suite[] = [];
  for (const name of new Set(Object.values(suiteOf))) {
    suites.push({
      name,
      config: await write(name),
      claims: Object.entries(suiteOf).flatMap(([id, suite]) =>
        suite === name ? [{ id, statement: `${id} holds.`, predicted: '×2', suite }] : [],
      ),
      opponents: name === 'versus' ? opponents : null,
    });
  }
  const ledgerFolder = async () => {
    const ledgers = await readdir(out);
    const [only] = ledgers;
    if (only === undefined || ledgers.length > 1) throw new Error(`expected one ledger, found: ${ledgers}`);
    return join(out, only);
  };
  return {
    folder,
    write,
    run(args, onOutput) {
      // How npm would have called it does not matter here; the command to go on is to be that of this program.
      const env = { SUITES: JSON.stringify(suites), npm_lifecycle_event: undefined };
      if (typeof args === 'string') {
        const [node, path = '', ...words] = wordsOf(args);
        if (node !== 'node') throw new Error(`expected a call of node, found: ${args}`);
        return runProgram(pathToFileURL(path), words, { env });
      }
      const words = ['claims', ...args, ...(args.includes('--resume') ? [] : ['--out', out])];
      return runProgram(program, words, { env, ...(onOutput && { onOutput }) });
    },
    ledgerFolder,
    async ledger() {
      return ledgerSchema.parse(
        JSON.parse(await readFile(join(await ledgerFolder(), 'ledger.json'), 'utf8')),
      );
    },
  };
}
