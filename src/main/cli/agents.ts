import { toPlainLines } from '../../aggregate/text/format.ts';
import type { KnownAgent } from '../agents/lobby.ts';
import type { Options } from '../options.ts';
import { printOutput } from '../terminal.ts';
import { controlUrl } from './agent-options.ts';

/**
 * `poolbench agents`: lists the agents at the control server, and the runs they are busy with.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE, CONTROL_UNREACHABLE
 */
export async function agents(options: Options<'control' | 'json'>): Promise<number> {
  const { ControlLink } = await import('../agents/control-link.ts');
  const { listAgents } = await import('../agents/lobby.ts');
  const link = await ControlLink.open(controlUrl(options));
  try {
    const known = await listAgents(link);
    const shown = known.map(({ id: _, ...agent }) => agent);
    const render = () =>
      toPlainLines(shown.length === 0 ? `no agents at ${link.where}\n` : shown.map(describe).join(''));
    printOutput(shown, { json: options.json, render });
    return 0;
  } finally {
    link.close();
  }
}

function describe({ name, group, version, cores, node, busy }: Omit<KnownAgent, 'id'>): string {
  const state = busy === null ? 'waits' : `busy with ${busy}`;
  return `${name}  group ${group}  version ${version}  ${cores} cores  Node ${node}  ${state}\n`;
}
