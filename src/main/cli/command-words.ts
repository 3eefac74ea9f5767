import { basename, relative } from 'node:path';
import type { Ledger } from '../../aggregate/claims/ledger.ts';

/** A command as it can be typed where this process was called. */
export function asTypedHere(...words: string[]): string {
  // That script brings its command.
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

/** What a target may be. */
interface How {
  readonly standInAllowed: boolean;
  /** Also a database that holds keys of others. */
  readonly force: boolean;
}

/** The command that makes a ledger. */
export function claimsCommand(typed: string, settings: Ledger['settings'], how: How): string {
  return asTypedHere('claims', quote(typed), ...settingFlags(settings), ...howFlags(how));
}

/** The command that goes on with the ledger of a folder. */
export function resumeLedgerCommand(typed: string, folder: string, how: How): string {
  const where = quote(shownFolder(folder));
  return asTypedHere('claims', quote(typed), '--resume', where, ...howFlags(how));
}

/** The command that goes on with the run of a folder. */
export function resumeRunCommand(folder: string, how: How): string {
  return asTypedHere('run', '--resume', quote(shownFolder(folder)), ...howFlags(how));
}

/** "--rounds 5", for every setting that was given. */
export function settingFlags(settings: Ledger['settings']): string[] {
  return Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name} ${quote(value)}`],
  );
}

function howFlags({ standInAllowed, force }: How): string[] {
  return [...(standInAllowed ? [] : ['--no-stand-in']), ...(force ? ['--force'] : [])];
}

/** A word of a command line, quoted where a shell would take it apart. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A folder as a reader can type it here. */
export function shownFolder(folder: string): string {
  return relative('.', folder) || '.';
}
