import { formatList } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';
import { serverCount } from '../run/server-figures.ts';
import type { Target } from '../server/find-target.ts';
import type { Coordinator } from './agent-turn.ts';
import type { ControlLink } from './control-link.ts';
import type { AgentMessage, Subject } from './messages.ts';
import { withoutLogin } from './rules.ts';

/** Checks before any load whether all agents reach the same target. */

type Met = Extract<AgentMessage, { kind: 'met' }>;

/**
 * Asks every agent to connect to the target.
 *
 * @returns the target as the agents see it
 * @throws PoolbenchError USAGE if an agent cannot reach it, or reaches another server; TARGET_IN_USE if it is the
 * control server; AGENT_REFUSED, AGENT_LOST
 */
export async function meetTarget(
  agents: Coordinator,
  target: Target,
  link: Pick<ControlLink, 'life' | 'where'>,
): Promise<Target> {
  const { control } = target;
  if (target.standIn)
    throw new PoolbenchError(
      'USAGE',
      `expected ${target.declared.server} at ${target.declared.url}, because agents do not load a stand-in, found ${target.detected.server}; start the server, or set target.server to any`,
    );
  if (control.address.path !== undefined)
    throw new PoolbenchError(
      'USAGE',
      `expected a target at host:port, because agents can be on other machines, found the unix socket ${control.address.path}; use a redis:// URL`,
    );
  const life = (await serverCount(control)).life ?? null;
  if (link.life !== undefined && life?.split(' ').includes(link.life))
    throw new PoolbenchError(
      'TARGET_IN_USE',
      `expected a target that is not the control server, found ${link.where} as both: the traffic of the agents would be in the figures; use another server for --control`,
    );
  const met = await askToMeet(agents, withoutLogin(subjectOf(target)));
  for (const { seat, life: found, roundTripMs } of met) {
    const agent = agents.seated[seat];
    if (agent === undefined) continue;
    agent.roundTripMs = roundTripMs;
    if (life === null || found === null || life === found) continue;
    throw new PoolbenchError(
      'USAGE',
      `expected all agents to reach the same server at ${target.declared.url}, but agent ${agent.name} reaches another one there (its run id differs); use an address that leads to the same server from every machine`,
    );
  }
  return { ...target, local: met.some(({ local }) => local) };
}

/** The address of the target, as it is sent to agents. */
export function subjectOf({ address, control }: Target): Subject {
  // As declared: a host name may be another IP address on another machine.
  const { host, port } = control.address.sentinel === undefined ? control.address : address;
  return {
    address: { ...address, host, port },
    ...(control.cluster === undefined ? {} : { cluster: control.cluster }),
  };
}

/** Asks every agent to reach a target; asks again if no answer comes. @returns the answers, in the order of the seats */
async function askToMeet(agents: Coordinator, subject: Subject): Promise<Met[]> {
  const answers = new Map<number, Met>();
  const stop = agents.listen(message => {
    if (message.kind === 'met') answers.set(message.seat, message);
  });
  const silent = () => agents.seated.filter(({ seat }) => !answers.has(seat));
  const { graceMs, answerMs } = agents.patience;
  try {
    const endMs = performance.now() + graceMs;
    while (performance.now() < endMs) {
      for (const { seat } of silent()) await agents.send(seat, { kind: 'meet', subject });
      if (await agents.until(() => silent().length === 0, answerMs))
        return [...answers.values()].toSorted((a, b) => a.seat - b.seat);
    }
  } finally {
    stop();
  }
  const names = formatList(silent().map(({ name }) => name));
  throw agents.fail(
    'AGENT_LOST',
    `expected ${names} to reach the target within ${graceMs / 1000} s, but got no answer; see the log of the agent`,
  );
}
