import { z } from 'zod';

/**
 * What the schemas of a config are made of. Every `error` text completes the sentence "expected …": faults.ts adds the
 * path and what was found.
 */

export function wholeNumber(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function numberBetween(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

export function oneOf<const Name extends string>(names: readonly Name[], note = '') {
  return z.enum(names, { error: names.map(name => JSON.stringify(name)).join(' or ') + note });
}

/** One value or a list of them, without the empty list, which would make a matrix without cells. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item).min(1, { error: 'at least one value' })])
    .transform(value => (Array.isArray(value) ? value : [value]) as z.output<Item>[]);
}

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: issue => (issue.code === 'unrecognized_keys' ? keys : `an object with the keys ${keys}`),
  });
}

/** Whether rules between values make no sense after this issue: a value is out of range. An unknown key does no harm. */
export function isOutOfRange({ code }: { readonly code?: string | undefined }): boolean {
  return code !== 'unrecognized_keys';
}
