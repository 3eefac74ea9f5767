import { randomUUID } from 'node:crypto';
import os from 'node:os';
import { formatList, formatPlural } from '../../aggregate/text/format.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import { asError } from '../errors.ts';
import { Worker } from './bullmq.ts';
import { ControlLink } from './control-link.ts';
import { lobbyName, lockMs, writeBadge } from './lobby.ts';
import { type HostInfo, prefix, readSeatJob } from './messages.ts';
import { usualPatience } from './patience.ts';
import type { Rules } from './rules.ts';
import { describeSeat, Seat } from './seat.ts';

/** How an agent was started. */
interface AgentOptions {
  readonly url: string;
  readonly rules: Rules;
  readonly name: string | undefined;
  readonly group: string;
  /** Number of runs after which it exits; infinite: it stays. Runs that end before their load do not count. */
  readonly runs: number;
  readonly say: (line: string) => void;
  /** Aborted when it should end. */
  readonly signal: AbortSignal;
}

/** How soon it reconnects when the control server is back. BullMQ would wait 15 s. */
const retryMs = 1000;

/**
 * Waits in the lobby and takes part in one run after another, until it is stopped or has had all its runs.
 *
 * @throws PoolbenchError CONTROL_UNREACHABLE if the control server cannot be used at the start
 */
export async function runAgent(
  { url, rules, name = os.hostname(), group, runs, say, signal }: AgentOptions,
  patience = usualPatience,
): Promise<void> {
  const link = await ControlLink.open(url, patience);
  const { version } = describeTool();
  const { node, os: system, cpu, cores } = describeEnvironment();
  const shown = name.slice(0, 100);
  const host: HostInfo = { name: shown, node, os: system, cpu, cores, threads: rules.maxThreads };
  let held: Seat | undefined;
  let done = 0;
  let onDone: () => void = () => {};
  const finished = new Promise<void>(resolve => {
    onDone = resolve;
  });
  const worker = new Worker(
    lobbyName(group, version),
    async job => {
      const { message: seat, fault } = readSeatJob(job.data);
      if (fault !== undefined) {
        say(`ignored an invitation to a run that cannot be read: ${fault}`);
        return;
      }
      const own = new Seat(link, { job: seat, rules, host, patience });
      held = own;
      say(`taken: ${describeSeat(seat)}`);
      // A run that fails must not end the agent.
      const why = await own.hold().catch(cause => asError(cause).message);
      held = undefined;
      const { refusal, hasLoaded } = own;
      const left =
        refusal === undefined
          ? `left: ${describeSeat(seat)}: ${why}`
          : `refused: ${describeSeat(seat)}: ${refusal}`;
      say(left);
      if (hasLoaded && ++done >= runs) onDone();
    },
    {
      ...{ connection: link.redis, prefix, concurrency: 1 },
      name: writeBadge({ id: randomUUID(), name: shown, cores, node }),
      lockDuration: lockMs,
      // A seat is never taken twice. The coordinators look for those that died.
      ...{ maxStalledCount: 0, skipStalledCheck: true, runRetryDelay: retryMs },
      ...{ removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
    },
  );
  // It retries, and the coordinator decides when a run is over.
  worker.on('error', () => {});
  say(
    `Agent ${shown}, version ${version}, group ${group}, waits at ${link.where}. It may load ${formatList([...rules.targets])} with up to ${formatPlural(rules.maxThreads, 'thread')}`,
  );
  const stopped = new Promise<void>(resolve => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
  await Promise.race([stopped, finished]);
  await held?.leave('it was stopped');
  // Its job ends with it, so that no lock is left.
  const closing = worker.close();
  await Promise.race([closing, new Promise(resolve => setTimeout(resolve, patience.endMs).unref())]);
  link.close();
}
