import { wrapText } from '../../aggregate/text/text-layout.ts';
import { questionFlags, valueName } from '../experiment/question-flags.ts';
import { type Option, optionNames, options } from '../options.ts';
import { commandNames, commands } from './commands.ts';

const helpColumns = 104;
/** The commands that take an option are listed after it if there are no more than this. */
const maxListedCommands = 4;

/** What `--help` prints. */
export function renderHelp(): string {
  const ways = Object.values(commands).flatMap(({ help }) => Object.entries(help));
  const described = optionNames(options).flatMap(name => {
    const row: Option = options[name];
    if (row.help === undefined) return [];
    const takers = commandNames.filter(command => commands[command].takes.includes(name));
    const listed = takers.length > maxListedCommands ? '' : ` (${takers.join(', ')})`;
    const words = `--${name}${row.value === undefined ? '' : ` ${row.value}`}`;
    return [
      ...(row.heading === undefined ? [] : ['', row.heading]),
      ...describe(words, `${row.help}${listed}`, 19),
    ];
  });
  const asking = Object.entries(questionFlags).flatMap(([name, flag]) =>
    describe(`--${name} ${valueName(flag)}`, `${flag.help} (${flag.usual})`, 30),
  );
  return `poolbench: would another pool, connection, thread or server help, and what limits you now?

Usage
${ways.flatMap(([words, help]) => describe(`poolbench ${words}`, help, 36)).join('\n')}

Questions about a URL (run, check): the values of a list such as 1,2,4 are compared; defaults are in
brackets
${asking.join('\n')}
${described.join('\n')}
  --help, --version

If target.threads in the config has several numbers, run starts a server for each and compares them.

Exit codes
  0    done; for search, whether or not it found a rate
  1    the run failed: it lost the target, an agent or the control server, measured nothing, or had too
       many failed operations
  2    the config, a result or the command line is wrong, or results cannot be written
  3    the target cannot be reached or started, is too small for the plan, or is in use; or agents are
       missing
  98   a condition of --fail-if was met
  99   a threshold in the config was crossed
  130  interrupted: partial results were written
`;
}

/** Words followed by a text indented to a column, on the same line if there is room. */
function describe(words: string, text: string, column: number): string[] {
  const [first = '', ...rest] = wrapText(text, helpColumns, ' '.repeat(column));
  const start = `  ${words}`;
  return start.length < column
    ? [start.padEnd(column) + first.slice(column), ...rest]
    : [start, first, ...rest];
}
