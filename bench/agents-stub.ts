import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { mergeHistograms } from '../src/aggregate/stats/merge-histograms.ts';
import { Queue, Worker } from '../src/main/agents/bullmq.ts';
import type { ControlClock } from '../src/main/agents/clock.ts';
import { ControlLink } from '../src/main/agents/control-link.ts';
import { lobbyName, lockMs } from '../src/main/agents/lobby.ts';
import {
  type AgentMessage,
  type BackJob,
  backQueue,
  channels,
  prefix,
  readCoordinatorMessage,
  readSeatJob,
} from '../src/main/agents/messages.ts';
import { packOutcome } from '../src/main/agents/outcome.ts';
import { describeTool } from '../src/main/environment.ts';
import { nowNs } from '../src/pool/clock.ts';
import type { ThreadSample } from '../src/workers/contract.ts';
import { childArgument } from './child.ts';
import { syntheticSample } from './synthetic-sample.ts';

const file = fileURLToPath(import.meta.url);
interface Stubs {
  readonly url: string;
  readonly group: string;
  readonly agents: number;
  /** Of each. */
  readonly threads: number;
  /** Of the load that a sample tells of. */
  readonly seconds: number;
}

/** Many agents in one process, which take part in every way but load nothing: their samples are as real ones. @returns what ends them */
export function startStubs(stubs: Stubs): () => void {
  // Without the program of tsx between them, so that it can be ended.
  const child = spawn(process.execPath, ['--import', 'tsx', file, JSON.stringify(stubs)], {
    stdio: 'inherit',
  });
  return () => child.kill('SIGKILL');
}

const asked = childArgument<Stubs>(import.meta.url);
if (asked !== undefined) await play(asked);

async function play({ url, group, agents, threads: threadsEach, seconds }: Stubs): Promise<void> {
  const link = await ControlLink.open(url);
  const toAll = new Map<string, Set<(text: string) => void>>();
  const kept = mergeHistograms(
    Array.from({ length: threadsEach }, (_, thread) => syntheticSample(thread, seconds, 1 + thread)),
  );
  const worker = new Worker(
    lobbyName(group, describeTool().version),
    async job => {
      const { message: seat } = readSeatJob(job.data);
      if (seat === undefined) return;
      const back = new Queue(backQueue(seat.run), { connection: link.redis, prefix, skipMetasUpdate: true });
      await new Promise<void>(resolve => {
        void hold(seat.run, seat.seat, back, resolve);
      });
    },
    { connection: link.redis, prefix, concurrency: agents, lockDuration: lockMs, skipStalledCheck: true },
  );
  worker.on('error', () => {});

  async function hold(run: string, seat: number, back: Queue, end: () => void): Promise<void> {
    const say = (message: AgentMessage) => void link.publish(channels.fromAll(run), message).catch(() => {});
    const host = {
      name: `stub${seat}`,
      node: process.version,
      os: '',
      cpu: '',
      cores: 1,
      threads: threadsEach,
    };
    let turn = 0;
    let threads: readonly number[] = [];
    let clock: ControlClock | undefined;
    const heartbeat = setInterval(() => say({ kind: 'here', seat, turn, phase: 'idle' }), 1000);
    const hear = (text: string) => {
      const { message } = readCoordinatorMessage(text);
      if (message === undefined || message.kind === 'heartbeat') return;
      if (message.kind === 'end') {
        clearInterval(heartbeat);
        end();
      } else if (message.kind === 'prepare' && message.turn > turn) {
        turn = message.turn;
        threads = message.tasks.map(({ thread }) => thread);
        void link.readClock().then(read => {
          clock = read;
          say({ kind: 'here', seat, turn, phase: 'ready' });
        });
      } else if (message.kind === 'go' && message.turn === turn && clock !== undefined) {
        const leadMs = (clock.toLocal(message.at) - nowNs()) / 1e6;
        const { boundMicros } = clock;
        // All of them share this process, which takes its time for so many.
        say({ kind: 'acknowledged', seat, turn, what: 'go', leadMs: Math.max(0, leadMs), boundMicros });
        const samples = kept.map(
          (sample, index): ThreadSample => ({ ...sample, thread: threads[index] ?? 0 }),
        );
        const packed = packOutcome({ kind: 'done', samples, cpu: null, startLagMs: 0 });
        void back.add('turn', { seat, turn, packed } satisfies BackJob, { removeOnComplete: true });
      }
    };
    const channel = channels.toAll(run);
    const others = toAll.get(channel) ?? new Set();
    others.add(hear);
    toAll.set(channel, others);
    await link.subscribe(channel, text => {
      for (const each of others) each(text);
    });
    await link.subscribe(channels.toSeat(run, seat), hear);
    say({ kind: 'seated', seat, host });
  }
}
