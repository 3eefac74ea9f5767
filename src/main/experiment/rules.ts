import { z } from 'zod';
import { meantKeys } from './faults.ts';
import type { Path } from './json-text.ts';

/**
 * Rules between the values of a config. All that can be judged are judged, even in a config with other faults, so that a user
 * sees every fault at once. A rule that reads a value at fault ends there: what it would say depends on the value that the
 * user will put in its place.
 */

/** Reports a value that does not fit the others; `found` is shown instead of the value. */
export type Refuse = (path: Path, expected: string, input: unknown, found?: unknown) => void;

export type Rule<Value> = (value: Value, refuse: Refuse) => void;

/** Thrown where a rule reads a value at fault. */
class ValueAtFault extends Error {}

/** The rules of a section, as a check of its schema. */
export function rules<Value>(...all: readonly Rule<NoInfer<Value>>[]) {
  return z.superRefine<Value>(
    (value, { issues }) => {
      const faults = issues.flatMap(pathsOf);
      if (faults.some(path => path.length === 0)) return;
      const guarded = faults.length === 0 ? value : guard(value as object, faults);
      const refuse: Refuse = (path, expected, input, found) =>
        issues.push({ code: 'custom', params: { expected, found }, path: [...path], input });
      for (const rule of all) judge(() => rule(guarded as Value, refuse));
    },
    { when: () => true },
  );
}

/** Judges a part of a rule on its own: a value at fault ends this part, and not the others. */
export function judge(part: () => void): void {
  try {
    part();
  } catch (error) {
    if (!(error instanceof ValueAtFault)) throw error;
  }
}

/** The same for each item of a list. */
export function judgeEach<Item>(items: readonly Item[], part: (item: Item, index: number) => void): void {
  for (let index = 0; index < items.length; index++) judge(() => part(items[index] as Item, index));
}

/**
 * The values at fault. An unknown key is not one, but the key that it probably misspells is, as that has only its default.
 * If the kind of an object is unknown, the whole object is at fault, because its other keys were not judged.
 */
function pathsOf({ code, path = [], ...issue }: z.core.$ZodRawIssue): (readonly PropertyKey[])[] {
  if (code === 'invalid_union' && issue.discriminator !== undefined) return [path.slice(0, -1)];
  if (code !== 'unrecognized_keys') return [path];
  const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
  return meantKeys(issue.keys as string[], known).flatMap(key => (key === undefined ? [] : [[...path, key]]));
}

/** The same value, which throws where a value at fault is read. */
function guard<Value extends object>(value: Value, faults: readonly (readonly PropertyKey[])[]): Value {
  return new Proxy(value, {
    get(whole, key) {
      const inside = faults.filter(([first]) => String(first) === key).map(([, ...further]) => further);
      const part = Reflect.get(whole, key);
      if (inside.length === 0) return part;
      if (inside.some(path => path.length === 0) || typeof part !== 'object' || part === null)
        throw new ValueAtFault();
      return guard(part, inside);
    },
  });
}
