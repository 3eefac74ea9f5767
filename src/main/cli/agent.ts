import { toPlainLines } from '../../aggregate/text/format.ts';
import { usableCores } from '../environment.ts';
import { PoolbenchError } from '../errors.ts';
import { onInterrupt } from '../interrupt.ts';
import type { Options } from '../options.ts';
import { controlUrl, groupOf, wholeNumberOf } from './agent-options.ts';

/**
 * `poolbench agent`: offers this machine to runs with `--agents`, within its limits.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE, CONFIG_INVALID, CONTROL_UNREACHABLE
 */
export async function agent(
  options: Options<'control' | 'allow-target' | 'name' | 'group' | 'threads' | 'runs'>,
): Promise<number> {
  const url = controlUrl(options);
  const { 'allow-target': allowed, name } = options;
  if (allowed === undefined)
    throw new PoolbenchError(
      'USAGE',
      'expected --allow-target HOST:PORT, the server that this agent may load: anyone who can write to the control server can command the agent',
    );
  const { readSecrets, readTargets } = await import('../agents/rules.ts');
  const rules = {
    targets: readTargets(allowed),
    maxThreads: wholeNumberOf('threads', options.threads, Math.max(1, Math.floor(usableCores()))),
    secrets: await readSecrets(process.env),
  };
  const { runAgent } = await import('../agents/agent.ts');
  const interrupt = new AbortController();
  const say = (line: string) => process.stderr.write(`${toPlainLines(line)}\n`);
  onInterrupt(
    () => interrupt.abort(),
    () => say('stopping; press Ctrl-C again to end at once'),
  );
  await runAgent({
    ...{ url, rules, name, group: groupOf(options), say },
    runs: options.runs === undefined ? Number.POSITIVE_INFINITY : wholeNumberOf('runs', options.runs, 1),
    signal: interrupt.signal,
  });
  // BullMQ may still be waiting for something, which must not keep the process alive.
  process.exit(interrupt.signal.aborted ? 130 : 0);
}
