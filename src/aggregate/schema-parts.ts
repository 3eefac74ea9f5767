import { z } from 'zod';

/**
 * What the schemas of a config are made of. Every `error` text completes the sentence "expected …": explain-issues.ts
 * adds the path and what was found.
 */

export function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

export function numberBetween(least: number, most: number) {
  const error = `a number from ${least} to ${most}`;
  return z.number({ error }).min(least, { error }).max(most, { error });
}

export function oneOf<const Name extends string>(names: readonly Name[], note = '') {
  return z.enum(names, { error: names.map(name => JSON.stringify(name)).join(' or ') + note });
}

/** A list without values would make a matrix without cells. A single value stands for a list of one. */
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

/** Values out of range say nothing of one another; an unknown key beside them does no harm. */
export function isOutOfRange({ code }: { readonly code?: string | undefined }): boolean {
  return code !== 'unrecognized_keys';
}
