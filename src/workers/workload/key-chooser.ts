/** Chooses the keys of operations. Seeded; makes no garbage. */
export interface KeyChooser {
  /** Fills the first `count` of `keys` with key numbers. How they are put into calls makes no difference to them. */
  drawInto(keys: Uint32Array, count: number): void;
}
