/** An option of the command line. */
export interface Option {
  /** The value's name in the help; without it, the option is a switch. */
  readonly value?: string;
  readonly short?: string;
  /** For the help, which appends the commands that take the option if these are few. */
  readonly help?: string;
  /** npm has a meaning of its own for the name, so its environment does not show who was meant. */
  readonly npm?: true;
  /** It can be given several times: the values are joined by commas. */
  readonly list?: true;
  /** The heading of the help under which it stands, with those that follow it. */
  readonly heading?: string;
  /** What the value can be, if it is one of a few names. */
  readonly values?: readonly string[];
}

/** Every option, in the order of the help. */
export const options = {
  target: {
    heading: 'The server',
    value: 'FILE',
    help: 'use the target of another config; with run --resume: a config of the same target, for its password',
    npm: true,
  },
  url: {
    value: 'URL',
    help: 'use the server at this URL: redis://, rediss:// or unix://; POOLBENCH_URL does the same; poolbench starts no server there without --start',
  },
  start: { help: 'start a server if nothing listens at the given URL' },
  rounds: {
    heading: 'The load',
    value: 'N',
    help: 'fixed number of repetitions of every scenario, whether or not the comparison is decided; a verdict needs 6',
  },
  budget: {
    value: 'TIME',
    help: 'time limit for the measured rounds, such as 90s, 3m or 1h; the run then ends even if a comparison is undecided; starting the server and warming up the threads do not count',
  },
  seconds: {
    value: 'S',
    help: 'measured time of each scenario in each round; claims ignores this and --warmup in suites that measure a cold start; record: length of the recording, 10 s by default',
  },
  warmup: { value: 'S', help: 'seconds of load before the measured time; its operations do not count' },
  seed: { value: 'N', help: 'seed for keys, values and the order of scenarios' },
  agents: {
    heading: 'Many machines',
    value: 'N',
    help: 'run the load on N agents instead of on this machine',
  },
  control: {
    value: 'URL',
    help: 'control server that runs and agents communicate through: a Redis or Valkey other than the target; POOLBENCH_CONTROL does the same and hides the password',
  },
  'agents-wait': {
    value: 'TIME',
    help: 'max time to wait for agents, such as 90s or 5m; 60s by default',
  },
  group: {
    value: 'NAME',
    help: 'agents serve only runs of the same group; "default" by default',
  },
  'allow-target': {
    value: 'HOST:PORT',
    list: true,
    help: 'server that the agent may load; separate several with commas, or repeat the option; login and certificates come from POOLBENCH_TARGET_USERNAME, _PASSWORD, _CA, _CERT and _KEY',
  },
  name: { value: 'NAME', help: "the agent's name in results; by default the host name" },
  threads: {
    value: 'N',
    help: 'max threads of a run on this machine; by default the number of cores',
  },
  runs: { value: 'N', help: 'exit after N runs; by default the agent waits for the next one' },
  save: {
    heading: 'Files and output',
    value: 'FILE',
    help: 'with a URL: also save the question as a config, including the login in the URL',
    npm: true,
  },
  out: {
    value: 'DIR',
    help: "parent of the run's own folder, results by default; compare writes files only with this option, trend writes trend.html there; import and record write the config to this file",
  },
  literal: {
    help: 'also keep the order, the key and the instant of every recorded command, in a second file next to the config',
  },
  speed: {
    value: 'N',
    help: 'rate of the load, as a multiple of the recorded rate, 1 by default; sets the speed or rate of the arrival in the config',
  },
  resume: {
    value: 'DIR',
    help: 'resume the interrupted run or ledger in this folder',
  },
  quick: { help: 'take a first look: fewer rounds and shorter times, at most 30 s for each target' },
  'no-stand-in': { help: 'fail if the declared server is unavailable, instead of using another one' },
  as: {
    value: 'memtier',
    values: ['memtier'],
    help: "print one scenario in the format of memtier_benchmark's JSON, and write nothing",
  },
  scenario: { value: 'ID', help: 'with --as: the scenario, if the result has several' },
  force: {
    help: 'load a database even if it holds other keys; compare: accept workloads that differ; record: record a busy server',
    npm: true,
  },
  'fail-if': {
    value: 'CONDITION,…',
    list: true,
    help: 'exit with 98 if a change clearly exceeds this, such as "response.p99 > +5%" or "opsPerSecond < -5%"; versus: relative to the first side; compare: of the last result, relative to those before it',
  },
  prometheus: {
    value: '[HOST:]PORT',
    help: 'serve metrics on http://127.0.0.1:PORT/metrics, or on HOST, while the command runs; port 0 picks a free one',
  },
  otlp: {
    value: 'URL',
    help: 'push metrics as OTLP/HTTP JSON to URL/v1/metrics every 10 s and at the end; headers from OTEL_EXPORTER_OTLP_HEADERS',
  },
  json: { help: 'print result.json, or its equivalent, to standard output', npm: true },
  quiet: { help: 'print the results and where they are, but not the plan or progress', npm: true },
  help: { short: 'h', npm: true },
  // Answered before this table is loaded (cli.ts); its name is here for suggestions.
  version: { npm: true },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof options;

export const optionNames = (given: object) => Object.keys(given) as OptionName[];

/** The options that a command takes, as they were typed. */
export type Options<Name extends OptionName> = {
  readonly [Key in Name]?:
    | ((typeof options)[Key] extends { readonly value: string } ? string : boolean)
    | undefined;
};

/**
 * Whether a server may be started if nothing listens where the target should be: in the place of one that is named by a
 * URL only if that is asked for.
 *
 * @param isNamed whether a URL names it, which `--url` always does
 */
export function mayStartServer(
  { url, start }: Options<'url' | 'start'>,
  { isNamed = url !== undefined } = {},
): boolean {
  return !isNamed || start === true;
}

/** What every command that looks for a target takes. */
export const targetOptions = ['seconds', 'warmup', 'seed', 'no-stand-in', 'force'] as const;

/** What every command that measures takes. */
export const sessionOptions = [
  ...targetOptions,
  ...(['out', 'prometheus', 'otlp', 'json', 'quiet', 'agents', 'control', 'agents-wait', 'group'] as const),
] as const;

export type TargetOption = (typeof targetOptions)[number];
export type SessionOption = (typeof sessionOptions)[number];

/** What a resumed run or ledger already has. */
export const fixedByResume = ['rounds', 'budget', 'seconds', 'warmup', 'seed', 'quick', 'out'] as const;
