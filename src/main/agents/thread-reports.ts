import type { ThreadTask } from '../../workers/contract.ts';
import { progressFields, type SharedState, type ThreadProgress } from '../../workers/shared-state.ts';
import type { ControlClock } from './clock.ts';
import type { AgentMessage } from './messages.ts';

/**
 * What the threads of an agent show in its shared memory while they run: the agent reports it, and the coordinator
 * mirrors it into its own. Instants are sent on the clock of the control server; 0 means never.
 */

type Report = Extract<AgentMessage, { kind: 'growth' | 'progress' }>;

/** Interval at which the growth of the pools is reported until the window is set, and the progress; longer with many agents. */
const growthMs = (seats: number) => Math.max(10, seats / 4);
const progressMs = (seats: number) => Math.max(100, seats);

interface Reported {
  readonly seat: number;
  /** Of all agents of the run. */
  readonly seats: number;
  readonly turn: number;
  readonly tasks: readonly ThreadTask[];
  readonly shared: SharedState;
  readonly clock: ControlClock;
}

/** Reports the threads of a turn until it is ended. @returns what ends it */
export function reportThreads(
  { seat, seats, turn, tasks, shared, clock }: Reported,
  publish: (report: Report) => void,
): () => void {
  const control = (ns: number) => (ns === 0 ? 0 : clock.toControl(ns));
  const growth = setInterval(() => {
    if (shared.startNs === undefined || shared.windowNs !== undefined) return;
    if (tasks[0]?.warmupSeconds === 0) return;
    const threads = tasks.map(({ thread }): [number, boolean, number] => {
      const { lookedNs, allConnected, grownNs } = shared.growth(thread);
      return [control(lookedNs), allConnected, control(grownNs)];
    });
    publish({ kind: 'growth', seat, turn, threads });
  }, growthMs(seats));
  const progress = setInterval(() => {
    if (shared.startNs === undefined) return;
    const threads = tasks.map(({ thread }) => {
      const figures = shared.progress(thread);
      return progressFields.map(field => {
        const value = field === 'atNs' ? control(figures.atNs) : figures[field];
        return Number.isFinite(value) ? value : null;
      });
    });
    const failures = tasks.map(({ thread }) => ({ ...shared.failures(thread) }));
    publish({ kind: 'progress', seat, turn, threads, failures });
  }, progressMs(seats));
  return () => {
    clearInterval(growth);
    clearInterval(progress);
  };
}

/** Writes what an agent reports of these tasks into the coordinator's shared memory. */
export function mirrorThreads(
  report: Report,
  tasks: readonly ThreadTask[],
  shared: SharedState,
  clock: ControlClock,
): void {
  const local = (micros: number) => (micros === 0 ? 0 : clock.toLocal(micros));
  for (const [index, { thread }] of tasks.entries())
    if (report.kind === 'growth') {
      const [looked, allConnected, grown] = report.threads[index] ?? [0, false, 0];
      shared.publishGrowth(thread, { lookedNs: local(looked), allConnected, grownNs: local(grown) });
    } else {
      const values = progressFields.map((field, place) => [
        field,
        report.threads[index]?.[place] ?? Number.NaN,
      ]);
      const progress = Object.fromEntries(values) as Record<keyof ThreadProgress, number>;
      shared.publish(thread, { ...progress, atNs: local(progress.atNs) });
      shared.publishFailures(thread, report.failures[index] ?? {});
    }
}
