import { createHash } from 'node:crypto';

/** Leaves room for a time before it or an extension after it in the 255 bytes that a file system allows. */
export const maxNameLength = 200;

/** Any name as part of a file name, with letters, digits, `.`, `_`, `+` and `-` only; never empty. */
export function safeName(name: string): string {
  return name.replace(/[^\w.+-]/g, '_').slice(0, maxNameLength) || '_';
}

/** The end of a name that has only a part of a text: it tells the text from others that begin alike. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/**
 * The same names, with `separator` and a number after each repeated one: redis, redis-2. Names that differ only in case
 * count as equal, as in some file systems.
 */
export function uniqueNames(names: readonly string[], separator: '-' | '_'): string[] {
  const taken = new Set<string>();
  return names.map(name => {
    let unique = name;
    for (let number = 2; taken.has(unique.toLowerCase()); number++) unique = `${name}${separator}${number}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
