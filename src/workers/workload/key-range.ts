/** The key numbers `firstKey` … `firstKey + keys - 1`. */
export interface KeyRange {
  readonly firstKey: number;
  readonly keys: number;
}

/** Part `index` of `parts` of a range: together they are all of it, without overlap. */
export function partOf({ firstKey, keys }: KeyRange, index: number, parts: number): KeyRange {
  const from = Math.floor((index * keys) / parts);
  const to = Math.floor(((index + 1) * keys) / parts);
  return { firstKey: firstKey + from, keys: to - from };
}
