import type fc from 'fast-check';

/** Something that takes what comes from outside, and what must be true of it whatever comes. */
export interface FuzzTarget {
  readonly name: string;
  /** Throws where an input is not taken as it must be. Whatever it opens it closes in `close`. */
  open(): Promise<{ readonly property: fc.IRawProperty<unknown>; close(): Promise<void> }>;
}
