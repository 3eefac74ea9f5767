import { createHash } from 'node:crypto';

/** Leaves room for a time before it or an ending behind it in the 255 bytes that a file system takes. */
export const maxNameLength = 200;

/** A name from anywhere as a part of that of a file, with letters, digits, `.`, `_`, `+` and `-` alone; never empty. */
export function safeName(name: string): string {
  return name.replace(/[^\w.+-]/g, '_').slice(0, maxNameLength) || '_';
}

/** The end of a name that has only a part of a text: it tells the text from others that begin alike. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/**
 * The same names with `separator` and a number behind each that came before: redis, redis-2. Case does not make a name
 * another one, for in some file systems it makes no other file.
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
