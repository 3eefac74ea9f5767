/** No file that poolbench writes comes near these; what does is not one, and would take a machine's memory or time. */
const deepest = 32;
const longestList = 100_000;
const mostKeys = 1000;
const longestText = 10_000;
const longestHistogram = 512 * 1024;

/** Keys under which histograms stand as text. */
const histogramKeys: ReadonlySet<string> = new Set(['service', 'response', 'lagHistogram']);
/** What every object has without a key of its own: one that is called so would be taken for it, or change it. */
const isInherited = (key: string) => Object.hasOwn(Object.prototype, key);

/** What is too much of a value that was read from a file, and where. */
export interface Excess {
  readonly path: string;
  /** To follow "found". */
  readonly found: string;
}

/** The first thing in parsed JSON that is deeper, longer or larger than anything poolbench writes; null if there is none. */
export function findExcess(parsed: unknown): Excess | null {
  const open: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value: parsed, path: [] }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    const found = whyTooMuch(value, path);
    if (found !== null) return { path: path.join('.').slice(0, 200) || 'its top', found };
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      // Most members are numbers, about which there is nothing to say.
      if (typeof member === 'number' && Number.isFinite(member) && !isInherited(key)) continue;
      open.push({ value: member, path: [...path, key] });
    }
  }
  return null;
}

function whyTooMuch(value: unknown, path: readonly string[]): string | null {
  const key = path.at(-1) ?? '';
  if (isInherited(key)) return `the key "${key}"`;
  if (key.length > longestText) return 'a key of more than 10,000 characters';
  if (typeof value === 'string') {
    const longest = histogramKeys.has(key) ? longestHistogram : longestText;
    return value.length > longest ? `a text of ${value.length} characters, of at most ${longest}` : null;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'a number that is not finite';
  if (typeof value !== 'object' || value === null) return null;
  if (path.length >= deepest) return `more than ${deepest} levels`;
  if (Array.isArray(value)) {
    return value.length > longestList ? `a list of ${value.length}, of at most ${longestList}` : null;
  }
  const keys = Object.keys(value).length;
  return keys > mostKeys ? `an object of ${keys} keys, of at most ${mostKeys}` : null;
}
