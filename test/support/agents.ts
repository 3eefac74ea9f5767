import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

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
