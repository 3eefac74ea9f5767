import { LatencyCounts } from '../../pool/latency-counts.ts';
import type { StepSample } from '../contract.ts';
import { ScriptFault } from './script-fault.ts';

/** Each has a histogram of 250 kB. */
const maxSteps = 32;
/** Of a name as results have it. */
const maxLength = 100;

/** What became of the steps of one name. */
export interface Step {
  readonly name: string;
  completed: number;
  failed: number;
  /** How often it was still running when the script of its session had returned. */
  unawaited: number;
  readonly latency: LatencyCounts;
}

/** The steps of a thread's sessions by their names. Its warm-up mostly names them first, so the memory is there before the load. */
export class Steps {
  readonly #byName = new Map<string, Step>();

  /** @throws ScriptFault TOO_MANY_STEPS */
  find(name: string): Step {
    return this.#byName.get(name) ?? this.#add(name);
  }

  sample(): StepSample[] {
    return [...this.#byName.values()].map(({ name, completed, failed, latency }) => ({
      ...{ name, completed, failed },
      latency: latency.encode(),
    }));
  }

  /** By name, of those that were not waited for. */
  get unawaited(): Readonly<Record<string, number>> {
    const steps = [...this.#byName.values()].filter(({ unawaited }) => unawaited > 0);
    return Object.fromEntries(steps.map(({ name, unawaited }) => [name, unawaited]));
  }

  #add(name: string): Step {
    if (this.#byName.size === maxSteps)
      throw new ScriptFault(
        'TOO_MANY_STEPS',
        `Expected at most ${maxSteps} names of steps, found another one: ${name}`,
      );
    const step = {
      name: String(name).slice(0, maxLength),
      completed: 0,
      failed: 0,
      unawaited: 0,
      latency: new LatencyCounts(3),
    };
    this.#byName.set(name, step);
    return step;
  }
}
