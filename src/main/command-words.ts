import { basename, relative } from 'node:path';
import type { Ledger } from '../aggregate/ledger/ledger.ts';
import { shownFolder } from './shown-folder.ts';

/** How this process was called, up to the command's arguments, so that what is printed can be typed here. */
function howCalled(command: 'run' | 'claims'): string {
  const script = process.env.npm_lifecycle_event;
  if (script === 'claims' && command === 'claims') return 'npm run claims --';
  if (script === 'start') return `npm start -- ${command}`;
  if (script === 'npx') return `npx poolbench ${command}`;
  const program = process.argv[1] ?? '';
  return basename(program) === 'poolbench'
    ? `poolbench ${command}`
    : `node ${quote(relative('.', program))} ${command}`;
}

/** What a target may be. */
interface How {
  readonly standInAllowed: boolean;
  /** Also a database that holds keys of others. */
  readonly force: boolean;
}

/** The command that makes a ledger. */
export function claimsCommand(typed: string, settings: Ledger['settings'], how: How): string {
  return [howCalled('claims'), quote(typed), ...settingFlags(settings), ...howFlags(how)].join(' ');
}

/** The command that goes on with the ledger of a folder. */
export function resumeLedgerCommand(typed: string, folder: string, how: How): string {
  const where = quote(shownFolder(folder));
  return [howCalled('claims'), quote(typed), '--resume', where, ...howFlags(how)].join(' ');
}

/** The command that goes on with the run of a folder. */
export function resumeRunCommand(folder: string, how: How): string {
  return [howCalled('run'), '--resume', quote(shownFolder(folder)), ...howFlags(how)].join(' ');
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
