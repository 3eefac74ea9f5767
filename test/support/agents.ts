import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, vi } from 'vitest';
import type { Result, RoundResult } from '../../src/aggregate/result.ts';
import type * as agentModule from '../../src/main/agents/agent.ts';
import type * as agentsModule from '../../src/main/agents/agents.ts';
import { type Patience, usualPatience } from '../../src/main/agents/patience.ts';
import { readSecrets, readTargets } from '../../src/main/agents/rules.ts';
import { decodeHistogram } from './decode-histogram.ts';
import { connectObserver } from './observed-server.ts';
import { runPoolbench } from './poolbench.ts';

const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

const short: Patience = {
  ...usualPatience,
  ...{ heartbeatMs: 100, silentMs: 2000, unreachedMs: 600, pauseMs: 300 },
  ...{ controlMs: 4000, outageMs: 6000, answerMs: 1000, endMs: 500 },
};

/** For tests of waiting: short, or as users have it for `npm run reliability`. */
export const testPatience = process.env.POOLBENCH_ALL_FAULTS === undefined ? short : usualPatience;

/** As it ships, and as runs in this process have loaded it. */
function compiled(name: string): Promise<unknown> {
  return import(/* @vite-ignore */ new URL(`../../dist/main/agents/${name}.js`, import.meta.url).href);
}

/** Gives the coordinators of this process {@link testPatience}, until the test is over. */
export async function shortenPatience(): Promise<void> {
  const { Agents } = (await compiled('agents')) as typeof agentsModule;
  const { enlist } = Agents;
  const spy = vi
    .spyOn(Agents, 'enlist')
    .mockImplementation(wanted => enlist.call(Agents, wanted, testPatience));
  onTestFinished(() => spy.mockRestore());
}

export interface TestAgent {
  /** Everything that it has written. */
  output(): string;
  /** Resolves once its output holds `text`; rejects if it ends before. */
  said(text: string): Promise<void>;
  readonly ended: Promise<unknown>;
  stop(): Promise<void>;
}

interface AgentProcess extends TestAgent {
  readonly process: ChildProcess;
  /** Resolves to its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

interface AgentOptions {
  readonly name?: string;
  readonly group?: string;
}

interface OptionsHere extends AgentOptions {
  readonly patience?: Patience;
  /** Runs after which it ends. */
  readonly runs?: number;
}

class Log {
  #text = '';
  readonly #more = new EventEmitter();

  readonly output = () => this.#text;

  add(text: string): void {
    this.#text += text;
    this.#more.emit('more');
  }

  async said(text: string, ended: Promise<unknown>): Promise<void> {
    const over = ended.then(how => {
      throw new Error(`ended with ${how} before it said "${text}":\n${this.#text}`);
    });
    over.catch(() => {});
    while (!this.#text.includes(text)) await Promise.race([once(this.#more, 'more'), over]);
  }
}

/**
 * An agent in this process, that waits at the control server and may load these targets with 4 threads.
 *
 * @param targets URLs
 */
export async function startAgent(
  control: string,
  targets: readonly string[],
  {
    name = 'a',
    group = 'default',
    patience = usualPatience,
    runs = Number.POSITIVE_INFINITY,
  }: OptionsHere = {},
): Promise<TestAgent> {
  const { runAgent } = (await compiled('agent')) as typeof agentModule;
  const rules = {
    ...{ targets: readTargets(hostsOf(targets)), maxThreads: 4 },
    secrets: await readSecrets({}),
  };
  const log = new Log();
  const ending = new AbortController();
  const ended = runAgent(
    {
      ...{ url: control, rules, name, group, runs },
      say: line => log.add(`${line}\n`),
      signal: ending.signal,
    },
    patience,
  );
  const agent: TestAgent = {
    ...{ output: log.output, ended },
    said: text => log.said(text, ended),
    stop() {
      ending.abort();
      return ended;
    },
  };
  await agent.said('waits at');
  return agent;
}

/** Several of them, named a, b, … */
export function startAgents(
  count: number,
  control: string,
  targets: readonly string[],
  options: Omit<OptionsHere, 'name'> = {},
): Promise<TestAgent[]> {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  return Promise.all(names.map(name => startAgent(control, targets, { ...options, name })));
}

/** As {@link startAgent}, in a process of its own, which only a signal ends. @param options.env added to its environment */
export async function spawnAgent(
  control: string,
  targets: readonly string[],
  { name = 'a', group = 'default', env = {} }: AgentOptions & { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<AgentProcess> {
  const words = ['agent', '--allow-target', hostsOf(targets), '--threads', '4', '--name', name];
  const child = spawn(process.execPath, [cli, ...words, '--group', group], {
    env: { ...process.env, POOLBENCH_CONTROL: control, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = new Log();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => log.add(text));
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  const agent: AgentProcess = {
    process: child,
    output: log.output,
    ended,
    said: text => log.said(text, ended),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
  await agent.said('waits at');
  return agent;
}

function hostsOf(targets: readonly string[]): string {
  return targets.map(target => target.replace(/^.*\/\//, '')).join(',');
}

/** Resolves once no agent of a group is busy. */
export async function expectFree(control: string, group: string): Promise<void> {
  const busy = async () => {
    const { stdout } = await runPoolbench(['agents', '--control', control, '--json']);
    const agents = JSON.parse(stdout) as { readonly group: string; readonly busy: string | null }[];
    const own = agents.filter(agent => agent.group === group);
    expect(own.length).toBeGreaterThan(0);
    return own.flatMap(({ busy: run }) => run ?? []);
  };
  await expect.poll(busy, { interval: 100 }).toEqual([]);
}

export function roundsOf(result: Result): RoundResult[] {
  return result.scenarios.flatMap(({ rounds }) => rounds);
}

function recorded(encoded: string): number {
  const histogram = decodeHistogram(encoded);
  const { totalCount } = histogram;
  histogram.destroy();
  return totalCount;
}

/** Every operation is accounted for, by the merged histograms and by the server. */
export function expectExact(round: RoundResult): void {
  const failed = Object.values(round.failed).reduce((sum, count) => sum + count, 0);
  expect(round.issued).toBe(round.completed + failed + round.unfinished);
  expect(recorded(round.histograms.service)).toBe(round.completed);
  expect(recorded(round.histograms.response)).toBe(round.completed);
  expect(round.serverCalls).toBe(round.completed);
  expect(round.series.reduce((sum, second) => sum + second.completed, 0)).toBe(round.completed);
}

/** What remains on the control server beside the lobby, which agents wait in. */
export async function keysOfRuns(url: string): Promise<string[]> {
  const keys = await (await connectObserver(url)).keys('*');
  return keys.filter(key => !key.startsWith('poolbench:lobby-'));
}
