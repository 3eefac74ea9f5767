import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import type { Result, RoundResult } from '../../src/aggregate/result.ts';
import { decodeHistogram } from './decode-histogram.ts';
import { connectObserver } from './observed-server.ts';
import { ofTest, startRedis } from './servers.ts';

const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

export interface TestAgent {
  readonly process: ChildProcess;
  /** Everything that it has written. */
  output(): string;
  /** Resolves once its output holds `text`; rejects if it ends before. */
  said(text: string): Promise<void>;
  /** Resolves to its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

interface AgentOptions {
  readonly name?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * An agent in a process of its own, that waits at the control server and may load these targets. It ends with the test.
 *
 * @param targets URLs, or `host:port`
 */
export async function startAgent(
  control: string,
  targets: readonly string[],
  { name = 'a', args = [], env = {} }: AgentOptions = {},
): Promise<TestAgent> {
  const allowed = targets.map(target => target.replace(/^.*\/\//, '')).join(',');
  const words = ['agent', '--allow-target', allowed, '--name', name, '--threads', '4', ...args];
  const child = spawn(process.execPath, [cli, ...words], {
    env: { ...process.env, POOLBENCH_CONTROL: control, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('said');
    });
  const ended = once(child, 'close').then(([code, signal]) => (signal ?? code) as number | NodeJS.Signals);
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const agent: TestAgent = {
    process: child,
    output: () => output,
    ended,
    async said(text) {
      const over = ended.then(how => {
        throw new Error(`ended with ${how} before it said "${text}":\n${output}`);
      });
      over.catch(() => {});
      while (!output.includes(text)) await Promise.race([once(child, 'said'), over]);
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
): Promise<TestAgent[]> {
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  return Promise.all(names.map(name => startAgent(control, targets, { name })));
}

/** A control server, a target, and agents that may load it, in the environment of a run. */
export async function startScene(agents: number) {
  const [control, target] = await Promise.all([ofTest(startRedis()), ofTest(startRedis())]);
  const started = await startAgents(agents, control.url, [target.url]);
  return { control, target, agents: started, env: { POOLBENCH_CONTROL: control.url } };
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
