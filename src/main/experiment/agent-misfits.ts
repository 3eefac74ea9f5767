import { formatList } from '../../aggregate/text/format.ts';
import { bundledClients } from '../../pool/client/libraries.ts';
import { PoolbenchError } from '../errors.ts';
import type { Experiment } from './experiment.ts';

/**
 * Refuses what agents cannot do. They have only poolbench's code: no package, module or script is sent to another
 * machine. They run one load at a time, so populations are impossible. They connect directly to the servers that they
 * may load, so silent cuts are impossible.
 *
 * @throws PoolbenchError USAGE for a script, a replay, populations or silent cuts; CLIENT_NOT_USABLE for clients that
 * they do not have
 */
export function expectSuitsAgents({
  workload: { script, replay },
  populations,
  scenarios,
}: {
  readonly workload: Pick<Experiment['workload'], 'script' | 'replay'>;
  readonly populations: readonly Pick<Experiment['populations'][number], 'name'>[];
  readonly scenarios: readonly Pick<Experiment['scenarios'][number], 'client' | 'cut' | 'cutEveryMs'>[];
}): void {
  if (script !== null)
    throw new PoolbenchError(
      'USAGE',
      `expected no workload.script with --agents, found ${script}: agents do not run code from another machine; leave out --agents, or use workload.commands`,
    );
  if (populations.length > 0)
    throw new PoolbenchError(
      'USAGE',
      `expected no populations with --agents, found ${formatList(populations.map(({ name }) => name))}: agents run one load at a time; leave out --agents, or remove populations`,
    );
  if (replay !== null)
    throw new PoolbenchError(
      'USAGE',
      `expected no workload.replay with --agents, found ${replay}: agents do not have the file; leave out --agents or workload.replay`,
    );
  if (scenarios.some(({ cut, cutEveryMs }) => cut.includes('silent') && cutEveryMs.some(every => every > 0)))
    throw new PoolbenchError(
      'USAGE',
      'expected no silent cuts with --agents: they need a proxy between load and server, but agents connect directly to the server; leave out --agents, or use "cut": "close"',
    );
  const clients = scenarios.flatMap(({ client }) => client);
  const missing = [...new Set(clients)].filter(client => bundledClients.every(name => name !== client));
  if (missing.length > 0)
    throw new PoolbenchError(
      'CLIENT_NOT_USABLE',
      `expected only clients that agents have, found ${formatList(missing)}; leave out --agents, or use ${bundledClients.join(' or ')}`,
    );
}
