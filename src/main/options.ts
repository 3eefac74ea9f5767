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
    help: "take the target from another config; with run --resume: the run's own target, for its password",
    npm: true,
  },
  url: {
    value: 'URL',
    help: 'take the server at another URL: redis://, rediss:// or unix://; POOLBENCH_URL does the same; no server is started there without --start',
  },
  start: { help: 'start a server if nothing listens at the given URL' },
  rounds: {
    heading: 'The load',
    value: 'N',
    help: 'repetitions of every scenario: a fixed number, even if the comparison is still open; a verdict needs 6',
  },
  budget: {
    value: 'TIME',
    help: 'time for the measured rounds, such as 90s, 3m or 1h; then the run ends, even if something is not decided; the start of the server and the warm-up of the threads do not count',
  },
  seconds: {
    value: 'S',
    help: 'measured time of one scenario in one round; claims ignores this option and --warmup in suites that measure a cold start; record: length of the recording, 10 s by default',
  },
  warmup: { value: 'S', help: 'time of load before the measured time; its operations do not count' },
  seed: { value: 'N', help: 'seed of keys, values and orders' },
  agents: {
    heading: 'Many machines',
    value: 'N',
    help: 'run the load on N agents instead of on this machine',
  },
  control: {
    value: 'URL',
    help: 'control server through which runs and agents talk: a Redis or Valkey that is not the target; POOLBENCH_CONTROL does the same, and hides its password',
  },
  'agents-wait': {
    value: 'TIME',
    help: 'max time to wait for the agents, such as 90s or 5m; 60s by default',
  },
  group: {
    value: 'NAME',
    help: 'group of agents, which only runs of the same group use; "default" by default',
  },
  'allow-target': {
    value: 'HOST:PORT',
    list: true,
    help: 'server that the agent may load; for several, use commas or repeat the option; login and certificates come from POOLBENCH_TARGET_USERNAME, _PASSWORD, _CA, _CERT and _KEY',
  },
  name: { value: 'NAME', help: "the agent's name in results; the host name by default" },
  threads: {
    value: 'N',
    help: 'max threads of a run on this machine; the number of cores by default',
  },
  runs: { value: 'N', help: 'end after N runs; by default the agent waits for more' },
  save: {
    heading: 'Files and output',
    value: 'FILE',
    help: 'with a URL: also write the question as a config, which includes the login of the URL',
    npm: true,
  },
  out: {
    value: 'DIR',
    help: "folder in which the run's own folder is created, results by default; compare writes files only if this is given, trend writes trend.html into it; import writes its config to this file instead of standard output, record writes it to this file",
  },
  literal: {
    help: 'also keep the order of the recorded commands and the key of each, in a second file next to the config',
  },
  speed: { value: 'N', help: 'rate of the load as a multiple of the recorded rate; 1 by default' },
  resume: {
    value: 'DIR',
    help: 'resume the interrupted run or ledger in this folder',
  },
  quick: { help: 'for a first look: fewer rounds and shorter times, at most 30 s for each target' },
  'no-stand-in': { help: 'fail if the declared server is unavailable, instead of using another one' },
  as: {
    value: 'memtier',
    values: ['memtier'],
    help: "print one scenario in the format of memtier_benchmark's JSON, and write nothing",
  },
  scenario: { value: 'ID', help: 'with --as: the scenario, if the result has several' },
  force: {
    help: 'load a database even if it holds keys of others; compare: accept workloads that differ; record: record a busy server',
    npm: true,
  },
  'fail-if': {
    value: 'CONDITION,…',
    list: true,
    help: 'end with 98 if a change is found beyond this, such as "response.p99 > +5%" or "opsPerSecond < -5%": from the first side; compare: from all results before the last one',
  },
  prometheus: {
    value: '[HOST:]PORT',
    help: 'serve metrics on http://127.0.0.1:PORT/metrics, or on HOST, while the command runs; port 0 is any free one',
  },
  otlp: {
    value: 'URL',
    help: 'push metrics as OTLP/HTTP JSON to URL/v1/metrics every 10 s and at the end; headers from OTEL_EXPORTER_OTLP_HEADERS',
  },
  json: { help: 'print result.json, or its equivalent, on standard output', npm: true },
  quiet: { help: 'print only where the results are, without plan and progress', npm: true },
  help: { short: 'h', npm: true },
  version: { npm: true },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof options;

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
