import type { Batch } from '../../pool/client/batch.ts';
import type { ScriptSample } from '../contract.ts';
import { type LoadWindow, Recorder, type StageRecorder } from '../recorder.ts';
import type { SessionBatch } from './session.ts';
import type { Steps } from './steps.ts';

/** Counts sessions, without think time, and their contents. */
export class SessionRecorder extends Recorder {
  readonly #steps: Steps;
  readonly #sampled: () => Pick<ScriptSample, 'sent' | 'messages'>;
  #commands = 0;

  /** @param of.sampled of the whole task */
  constructor(
    window: LoadWindow,
    {
      steps,
      sampled,
      stages,
    }: {
      readonly steps: Steps;
      readonly sampled: () => Pick<ScriptSample, 'sent' | 'messages'>;
      readonly stages: StageRecorder | undefined;
    },
  ) {
    super(window, undefined, stages);
    this.#steps = steps;
    this.#sampled = sampled;
  }

  override record(batch: Batch, dueNs: number, sentNs: number, doneNs: number): void {
    const { session } = batch as SessionBatch;
    if (session === undefined) throw new Error('Expected a batch with a session');
    if (dueNs >= this.startNs) {
      // In the second in which it was done, which is not that of its latency.
      this.turnTo(doneNs);
      this.#commands += session.commands;
      for (const { step, ns, failed } of session.steps) {
        if (failed) step.failed++;
        else {
          step.completed++;
          step.latency.add(ns, 1);
        }
      }
    }
    super.record(batch, dueNs, sentNs, doneNs - session.thoughtBy(doneNs));
  }

  override finish(): ReturnType<Recorder['finish']> {
    const script = {
      commands: this.#commands,
      steps: this.#steps.sample(),
      unawaited: this.#steps.unawaited,
    };
    return { ...super.finish(), script: { ...script, ...this.#sampled() } };
  }
}
