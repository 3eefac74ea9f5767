import { z } from 'zod';

/**
 * The parts of a config's schemas. Every `error` text completes the sentence "expected …": faults.ts adds the path and
 * what was found.
 */

/** A longer config is not read, so no text in a config is longer. */
export const maxConfigCharacters = 2 ** 20;

/** @param unit what it counts, in the plural */
export function wholeNumber(min: number, max: number, unit?: string) {
  const error = `a whole number${ofUnit(unit)} from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

/** @param unit in which it is measured, in the plural */
export function numberBetween(min: number, max: number, unit?: string) {
  const error = `a number${ofUnit(unit)} from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

const ofUnit = (unit?: string) => (unit === undefined ? '' : ` of ${unit}`);

/** @param note text after the expected values, such as other values that are allowed; may depend on the value found */
export function oneOf<const Name extends string>(
  names: readonly Name[],
  note: (found: unknown) => string = () => '',
) {
  const expected = names.map(name => JSON.stringify(name)).join(' or ');
  return z.enum(names, { error: ({ input }) => `${expected}${note(input)}` });
}

/** One value or a list of them, without the empty list, which would make a matrix without cells. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item).min(1, { error: 'at least one value' })])
    .superRefine(
      (value, payload) => {
        if (payload.issues.length === 0 || Array.isArray(value)) return;
        // The transform does not run after an issue, but rules on other keys expect lists.
        payload.value = [value] as typeof value;
        for (const issue of payload.issues) Object.assign(issue, { path: [0, ...(issue.path ?? [])] });
      },
      { when: () => true },
    )
    .transform(value => (Array.isArray(value) ? value : [value]) as z.output<Item>[]);
}

/** A schema for every key of a type, including optional ones, so that none is lost between processes. */
export type ShapeOf<T> = { readonly [Key in keyof T]-?: z.ZodType<T[Key]> };

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const keys = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: issue => (issue.code === 'unrecognized_keys' ? keys : `an object with the keys ${keys}`),
  });
}

/** An object of one kind, whose description follows the name of the kind. */
export function kind<const Kind extends string, Shape extends z.core.$ZodLooseShape>(
  name: Kind,
  description: string,
  keys: Shape,
) {
  return section({ kind: z.literal(name).meta({ description: `${name}: ${description}` }), ...keys });
}

/** Objects that differ in their `kind`. */
export function oneOfKinds<const Kinds extends readonly [KindSchema, ...KindSchema[]]>(
  kinds: Kinds,
  example: string,
) {
  const names = kinds.map(({ shape }) => JSON.stringify([...shape.kind.values][0]));
  return z.discriminatedUnion('kind', kinds, {
    error: issue => (issue.code === 'invalid_union' ? names.join(' or ') : `an object such as ${example}`),
  });
}

type KindSchema = z.ZodObject<{ readonly kind: z.ZodLiteral<string> }, z.core.$strict>;

/**
 * A text that a function can read; the message of its error completes the sentence "expected …".
 *
 * @param meant the text that an unreadable one probably stands for
 */
export function readable(
  error: string,
  read: (text: string) => unknown,
  meant: (text: string) => string | undefined = () => undefined,
) {
  return z.string({ error }).check(({ value, issues }) => {
    try {
      read(value);
    } catch (cause) {
      const expected = (cause as Error).message.replace(/^expected /, '');
      issues.push({ code: 'custom', params: { expected, meant: meant(value) }, input: value });
    }
  });
}
