import { AliasTable } from './alias-table.ts';
import { Draws } from './draws.ts';
import type { KeyChooser } from './key-chooser.ts';

/** Neighbouring numbers `first` … `first + width - 1`, over which the weight never rises and then falls: it does only one. */
export interface Strip {
  readonly first: number;
  readonly width: number;
}

/** A distribution over whole numbers, cut into strips. */
export interface Strips {
  readonly strips: readonly Strip[];
  /** How often a number is drawn, to any scale. */
  readonly weight: (number: number) => number;
}

/**
 * Draws exactly from a distribution that is given by its weights, in constant time and with a table as long as there are
 * strips, not numbers: a strip is drawn by its width times its largest weight, a number within it evenly, and then
 * accepted with its weight by that largest one (rejection from a piecewise constant envelope; L. Devroye, Non-Uniform
 * Random Variate Generation, 1986, chapters II.3 and VIII). Below the strip's least weight nothing need be computed, and
 * where strips are narrow that is nearly always so.
 */
export class StripSampler implements KeyChooser {
  readonly #draws: Draws;
  readonly #table: AliasTable;
  readonly #first: Uint32Array;
  readonly #width: Uint32Array;
  readonly #most: Float64Array;
  /** A draw below this is accepted whatever number it is for: 2³² × least / most. */
  readonly #surelyBelow: Float64Array;
  readonly #weight: (number: number) => number;

  constructor({ strips, weight }: Strips, seed: number) {
    const ends = strips.map(({ first, width }) => [weight(first), weight(first + width - 1)] as const);
    const most = ends.map(([a, b]) => Math.max(a, b));
    this.#draws = new Draws(seed);
    this.#table = new AliasTable(strips.map(({ width }, index) => width * (most[index] as number)));
    this.#first = Uint32Array.from(strips, ({ first }) => first);
    this.#width = Uint32Array.from(strips, ({ width }) => width);
    this.#most = Float64Array.from(most);
    this.#surelyBelow = Float64Array.from(
      ends,
      ([a, b]) => (Math.min(a, b) / Math.max(a, b, Number.MIN_VALUE)) * 2 ** 32,
    );
    this.#weight = weight;
  }

  drawInto(keys: Uint32Array, count: number): void {
    for (let i = 0; i < count; i++) keys[i] = this.draw();
  }

  draw(): number {
    const draws = this.#draws;
    for (;;) {
      const strip = this.#table.pick(draws.next());
      const first = this.#first[strip] as number;
      const width = this.#width[strip] as number;
      if (width === 1) return first;
      const number = first + Math.floor((draws.next() * width) / 2 ** 32);
      const height = draws.next();
      if (height < (this.#surelyBelow[strip] as number)) return number;
      if (height * (this.#most[strip] as number) < this.#weight(number) * 2 ** 32) return number;
    }
  }
}
