import type { Asked } from '../experiment/question.ts';
import { questionFlags } from '../experiment/question-flags.ts';
import {
  type Option,
  type OptionName,
  type Options,
  options,
  sessionOptions,
  targetOptions,
} from '../options.ts';
import { type Completions, renderCompletion, shells } from './completion.ts';

/** A command of the command line. */
interface Command<Name extends OptionName = OptionName> {
  /** Its forms, without "poolbench", each with a description. */
  readonly help: Readonly<Record<string, string>>;
  /** Null: none. */
  readonly operand: 'CONFIG' | 'TARGET' | 'SOURCE' | 'RESULT' | 'FOLDER' | 'FILE' | 'SHELL' | null;
  /** Whether the operand can be left out. */
  readonly optional?: boolean;
  /** Whether the operand can be the URL of a server. */
  readonly takesUrl?: boolean;
  /** Whether it also takes a URL instead of a config, with flags for the question. */
  readonly asks?: boolean;
  /** What the operand can be, if it is one of a few names. */
  readonly names?: readonly string[];
  /** Whether a name may follow the operand. */
  readonly takesName?: boolean;
  /** Whether it takes two or more operands instead of one. */
  readonly several?: boolean;
  /** The command to suggest if several operands are given. */
  readonly forSeveral?: string;
  readonly takes: readonly Name[];
  /** Resolves to the exit code. It loads only this command's file, because loading all of them takes half a second. */
  readonly run: (
    operands: readonly string[],
    options: Options<Name> & { readonly asked?: Asked },
  ) => Promise<number>;
}

/** A row of the table, with the options that its function receives. */
const row = <Name extends OptionName>(command: Command<Name>): Command => command;

/** Every command, in the order of the help. */
export const commands = {
  run: row({
    help: {
      CONFIG: 'run an experiment: the same as run CONFIG',
      'URL [flags]':
        'without a config: ask a question about the server at a URL, such as redis://my-host:6379 --pools 1,2,4 --workers 50,100',
      'run CONFIG [options]': 'find or start the target, measure, judge, write results/<time>-<name>/',
      'run --resume DIR': 'resume a run of one target that was stopped or killed',
    },
    operand: 'CONFIG',
    forSeveral: 'versus',
    asks: true,
    takes: [...sessionOptions, 'rounds', 'budget', 'quick', 'target', 'url', 'start', 'save', 'resume'],
    run: async ([path = ''], options) => {
      const { resume, run } = await import('./run.ts');
      return options.resume === undefined ? run(path, options) : resume(options.resume, options);
    },
  }),
  check: row({
    help: {
      'check CONFIG|URL [options]':
        'validate the config, identify the target and print the plan, without load',
    },
    operand: 'CONFIG',
    asks: true,
    takes: [...targetOptions, 'rounds', 'budget', 'quick', 'target', 'url', 'start', 'save'],
    run: async ([path = ''], options) => (await import('./check.ts')).check(path, options),
  }),
  versus: row({
    help: {
      'versus CONFIG CONFIG…':
        'run several configs with one target each, in turn within every round, and compare each with the first; takes the options of run except --target and --url',
    },
    operand: 'CONFIG',
    several: true,
    takes: [...sessionOptions, 'rounds', 'budget', 'quick', 'fail-if'],
    run: async (paths, options) => (await import('./run.ts')).versus(paths, options),
  }),
  claims: row({
    help: {
      'claims TARGET [options]':
        'test every claim on redis, valkey, dragonfly, the target of a config, or a URL, and keep a ledger of the verdicts',
    },
    operand: 'TARGET',
    takesUrl: true,
    // Verdicts need more rounds than --quick leaves.
    takes: [...sessionOptions, 'rounds', 'start', 'resume'],
    run: async ([target = ''], options) => (await import('./claims.ts')).claims(target, options),
  }),
  search: row({
    help: { 'search CONFIG [options]': "find the highest rate that meets the config's conditions" },
    operand: 'CONFIG',
    // A step is repeated until it is decided, so there are no rounds to set.
    takes: [...sessionOptions, 'target', 'url', 'start'],
    run: async ([path = ''], options) => (await import('./search.ts')).search(path, options),
  }),
  compare: row({
    help: { 'compare RESULT RESULT…': 'compare finished runs, each with the first' },
    operand: 'RESULT',
    several: true,
    takes: ['force', 'out', 'json', 'fail-if'],
    run: async (paths, options) => (await import('./compare.ts')).compare(paths, options),
  }),
  report: row({
    help: {
      'report RESULT': 'write the reports and other files of a result.json (or its folder) again',
    },
    operand: 'RESULT',
    forSeveral: 'compare',
    takes: ['as', 'scenario'],
    run: async ([path = ''], options) => (await import('./report.ts')).report(path, options),
  }),
  trend: row({
    help: {
      'trend FOLDER [NAME]':
        'show throughput and p99 over time for the config NAME, by default the one with the most results in FOLDER, and write trend.html there',
    },
    operand: 'FOLDER',
    takesName: true,
    takes: ['out'],
    run: async ([path = '', name], options) => (await import('./trend.ts')).trend(path, options, name),
  }),
  agent: row({
    help: {
      'agent --control URL --allow-target HOST:PORT': 'offer this machine to runs with --agents',
    },
    operand: null,
    takes: ['control', 'allow-target', 'name', 'group', 'threads', 'runs'],
    run: async (_, options) => (await import('./agent.ts')).agent(options),
  }),
  agents: row({
    help: { 'agents --control URL': 'list the agents and the runs they are busy with' },
    operand: null,
    takes: ['control', 'json'],
    run: async (_, options) => (await import('./agents.ts')).agents(options),
  }),
  record: row({
    help: {
      'record URL|FILE [options]':
        "record a server's commands with MONITOR, or read the output of redis-cli MONITOR from a file, and write a config with a similar load, recording.json by default",
    },
    operand: 'SOURCE',
    takesUrl: true,
    takes: ['seconds', 'out', 'force', 'literal', 'speed'],
    run: async ([source = ''], options) => (await import('./record.ts')).record(source, options),
  }),
  init: row({
    help: { 'init [FILE]': 'ask four questions and write a commented config, poolbench.json by default' },
    operand: 'FILE',
    optional: true,
    takes: [],
    run: async ([path = 'poolbench.json']) => (await import('./init.ts')).init(path, process.stdin),
  }),
  import: row({
    help: {
      'import SPEC.yml':
        'write a config from a test definition of redis-benchmarks-specification, and list what could not be converted',
    },
    operand: 'FILE',
    takes: ['out'],
    run: async ([path = ''], options) => (await import('./import.ts')).importSpec(path, options.out),
  }),
  completion: row({
    help: { 'completion SHELL': `print the completion script for a shell: ${shells.join(', ')}` },
    operand: 'SHELL',
    names: shells,
    takes: [],
    run: async ([shell = '']) => {
      process.stdout.write(renderCompletion(shell, completions()));
      return 0;
    },
  }),
};

export type CommandName = keyof typeof commands;
export const commandNames = Object.keys(commands) as CommandName[];

/** What a shell can complete, from the tables of the help. */
export function completions(): Completions {
  const ofOptions = (names: readonly OptionName[]) =>
    names.map(name => {
      const row: Option = options[name];
      return {
        name,
        help: row.help ?? name,
        takesValue: row.value !== undefined,
        takesFile: row.value === 'FILE' || row.value === 'DIR',
        values: row.values ?? [],
      };
    });
  const ofQuestion = Object.entries(questionFlags).map(([name, { help, values }]) => ({
    name,
    help,
    takesValue: true,
    takesFile: false,
    values,
  }));
  return {
    commands: commandNames.map(name => {
      const { help, takes, names = [], asks = false } = commands[name];
      return {
        name,
        help: Object.values(help)[0] ?? '',
        operands: names,
        options: [...ofOptions(takes), ...(asks ? ofQuestion : [])],
      };
    }),
    /** The command that a config or a URL without a command stands for. */
    usual: 'run',
  };
}
