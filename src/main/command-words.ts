import { basename, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OptionName, Options } from './options.ts';

/** A command as it can be typed where this process was called. */
export function asTypedHere(...words: string[]): string {
  // That script contains its command.
  if (process.env.npm_lifecycle_event === 'claims' && words[0] === 'claims')
    return ['npm run claims --', ...words.slice(1)].join(' ');
  return [howCalled(), ...words].join(' ');
}

function howCalled(): string {
  const script = process.env.npm_lifecycle_event;
  if (script === 'start' || script === 'claims') return 'npm start --';
  if (script === 'npx') return 'npx poolbench';
  const program = process.argv[1] ?? '';
  return basename(program) === 'poolbench' ? 'poolbench' : `node ${quote(relative('.', program))}`;
}

/** A file that comes with poolbench, as it can be opened here: the package may be installed anywhere. */
export function shippedFile(path: string): string {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const fromHere = relative('.', file);
  return fromHere.startsWith('..') ? file : fromHere;
}

/** The URL of POOLBENCH_URL, which stands for --url where that is not given. */
export function urlOfEnvironment(): string | undefined {
  return process.env.POOLBENCH_URL || undefined;
}

/** Where a URL was given, for messages. */
export function sourceOfUrl(url: string): string {
  return url === urlOfEnvironment() ? 'POOLBENCH_URL' : '--url';
}

/** Options as words of a command line: "--rounds 5", "--force". */
export function optionWords(options: Options<OptionName>): string[] {
  return Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name} ${quote(value)}`];
  });
}

/** A word of a command line, quoted if a shell would split it. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A folder as it can be typed here. */
export function shownFolder(folder: string): string {
  return relative('.', folder) || '.';
}
