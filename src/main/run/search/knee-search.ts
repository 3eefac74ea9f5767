import { nextRate, type SearchRange, type TriedRate } from '../../../aggregate/search/knee.ts';
import { stepVerdict } from '../../../aggregate/search/step.ts';

/** A rate that is to be tried, once. */
export interface Repeat {
  readonly rate: number;
  /** From 1. */
  readonly step: number;
  /** Of the step, from 1. */
  readonly repeat: number;
}

/** Tries rates until the knee lies in an interval that is narrow enough, repeating each until its verdict is clear. */
export class KneeSearch {
  readonly #range: SearchRange;
  readonly #tried: TriedRate[] = [];
  #rate: number | null;
  #passes = 0;
  #fails = 0;

  constructor(range: SearchRange) {
    this.#range = range;
    this.#rate = nextRate([], range);
  }

  /** What is to be tried next; null when the search has come to its end. */
  get next(): Repeat | null {
    if (this.#rate === null) return null;
    return { rate: this.#rate, step: this.#tried.length + 1, repeat: this.#passes + this.#fails + 1 };
  }

  /** Is told whether the rate met the conditions this time. @returns the step, if that has concluded it */
  add(passed: boolean): TriedRate | null {
    if (this.#rate === null) return null;
    if (passed) this.#passes++;
    else this.#fails++;
    const verdict = stepVerdict(this.#passes, this.#fails);
    if (verdict === null) return null;
    const step = { rate: this.#rate, verdict };
    this.#tried.push(step);
    this.#passes = 0;
    this.#fails = 0;
    this.#rate = nextRate(this.#tried, this.#range);
    return step;
  }
}
