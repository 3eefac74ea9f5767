import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Result, resultSchema } from '../../src/aggregate/result.ts';
import { type Outcome, type RunOptions, runPoolbench } from './poolbench.ts';

/**
 * Spread over a scenario, where its load is not the point: an operation every 20 ms, between which the cores are free for
 * the tests beside it. A closed loop takes all it can get, in the warm-up of the threads, too. But a thread without a core
 * until its window is over begins nothing, and is measured again, three times at most; and what completes late does not count
 * as throughput. So if something is to complete, give it a window of 0.2 s.
 */
export const unhurried = { arrival: { kind: 'constant', rate: 50 } } as const;

/**
 * Bursts with long pauses between them, for a load in which many operations, or batches, are to be found: each of 40
 * operations, whatever the batches of 1, 2, 4, 5, 10 or 20. To be given a window of 0.3 s where something is to complete.
 */
export const calm = { arrival: { kind: 'burst', rate: 1000, size: 40 } } as const;

/** A config in a folder of the test's own, which goes when the test is over. */
export interface TestExperiment {
  readonly folder: string;
  readonly configPath: string;
  /** Runs it to its end; results go into the test's own folder. */
  run(args?: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** Runs it, and lets the test wait for its output and send it signals. */
  start(args?: readonly string[], options?: StartOptions): RunningExperiment;
  /** The one results folder that its runs have made so far. */
  resultsFolder(): Promise<string>;
  /** Its result.json, held against the schema. */
  result(): Promise<Result>;
}

interface StartOptions extends RunOptions {
  /** Else `run`. */
  readonly command?: 'run' | 'search' | 'versus';
}

export interface RunningExperiment {
  readonly outcome: Promise<Outcome>;
  /** Resolves once its output holds `text`; rejects if it ends before. */
  said(text: string): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Writes a config: short, of one client, one pool and few workers without haste, unless `config` says otherwise.
 * @param config more of its keys, over the defaults
 */
export async function createExperiment(
  url: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<TestExperiment> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const configPath = join(folder, 'config.json');
  const out = join(folder, 'results');
  const written = {
    name: 'e2e',
    target: { server: 'redis', url },
    workload: { keys: 200 },
    scenarios: [{ client: 'wire', workers: 4, ...unhurried }],
    rounds: 1,
    // As short as it goes: a load is rarely the point. Without a warm-up every worker of a closed loop begins something in
    // the window, if its thread has a core before the end.
    seconds: config.scenarios === undefined ? 0.2 : 0.05,
    warmupSeconds: 0,
    ...config,
  };
  await writeFile(configPath, JSON.stringify(written));

  const resultsFolder = async () => {
    const runs = await readdir(out);
    const [only] = runs;
    if (only === undefined || runs.length > 1) throw new Error(`expected one results folder, found: ${runs}`);
    return join(out, only);
  };
  const run = (args: readonly string[] = [], { command = 'run', ...options }: StartOptions = {}) =>
    runPoolbench([command, configPath, '--out', out, ...args], options);
  return {
    folder,
    configPath,
    run,
    start(args, options) {
      let output = '';
      let send: (signal: NodeJS.Signals) => void = () => {};
      const said = new EventEmitter();
      const outcome = run(args, {
        ...options,
        onOutput(text, kill) {
          output = text;
          send = kill;
          said.emit('more');
        },
      });
      // A test that fails must not leave a run behind that goes on for hours.
      onTestFinished(() => send(options?.ownProcess ? 'SIGKILL' : 'SIGTERM'));
      return {
        outcome,
        kill: signal => send(signal),
        async said(text) {
          const ended = outcome.then(({ code }) => {
            throw new Error(`ended with ${code} before it said "${text}":\n${output}`);
          });
          while (!output.includes(text)) await Promise.race([once(said, 'more'), ended]);
          ended.catch(() => {});
        },
      };
    },
    resultsFolder,
    async result() {
      const text = await readFile(join(await resultsFolder(), 'result.json'), 'utf8');
      return resultSchema.parse(JSON.parse(text));
    },
  };
}
