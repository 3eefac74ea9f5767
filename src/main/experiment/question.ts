import { minRounds } from '../../aggregate/stats/sign-test.ts';
import { PoolbenchError } from '../errors.ts';
import { nameOfUrl } from '../server/url.ts';
import { type Experiment, experimentSchema } from './experiment.ts';
import { faultsOf, nameOf } from './faults.ts';
import { questionFlags, usualLists } from './question-flags.ts';

/** The flags of a question as they were typed, by their names. */
export type Asked = Readonly<Record<string, string>>;

/** The config built from a URL and flags, before its defaults are filled in. */
interface AskedConfig {
  readonly [key: string]: unknown;
  readonly scenarios: readonly [Readonly<Record<string, unknown>>];
}

/** A run of the usual question has 5 arms of 0.65 s: this allows 7 rounds, and an answer within half a minute. */
const budgetSeconds = 24;
/** A window of an open loop needs enough arrivals for a tail. */
const windowSeconds = { closed: 0.25, open: 1 };
/** Loads, at each of which something else is compared. */
const loadFlags = ['workers', 'rate'];
const poolFlags = ['pools', 'pools-per-thread'];

/**
 * The config built from a URL and flags. Unless the flags set them or compare something else, pools and workers have
 * several values.
 */
export function configOf(url: string, asked: Asked): AskedConfig {
  const group: Record<string, unknown> = {};
  const workload: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(asked)) {
    const flag = questionFlags[name];
    if (flag === undefined) throw new Error(`expected a flag of a question, found ${name}`);
    const [section] = flag.path;
    const key = String(flag.path.at(-1));
    (section === 'workload' ? workload : group)[key] = flag.read(text);
  }
  const varied = Object.keys(asked).filter(name => isList(name, asked));
  const comparesOther = varied.some(name => name !== 'pools' && name !== 'workers');
  const isOpen = asked.rate !== undefined;
  if (!comparesOther) {
    const min = Math.min(...numbersIn(group.workers, Number.POSITIVE_INFINITY));
    group.pools ??= usualLists.pools.filter(pools => pools <= min);
    const pools = numbersIn(group.pools, 1);
    const max = Math.max(...pools);
    // With one number of pools, several levels would be compared with each other, which was not asked.
    const oneLevel = isOpen || pools.length === 1;
    const levels = (oneLevel ? usualLists.workers.slice(0, 1) : usualLists.workers).filter(
      workers => workers >= max,
    );
    group.workers ??= levels.length > 0 ? levels : [max];
  }
  const comparesPools = varied.some(name => poolFlags.includes(name));
  const workers = comparesPools ? usualLists.workers.slice(1) : usualLists.workers.slice(0, 1);
  const scenario = { client: ['ioredis'], pool: ['optimized'], pools: [1], workers, ...group };
  // If pools vary, they are compared by default.
  const compared = (comparesPools ? [] : varied)
    .filter(name => !loadFlags.includes(name))
    .map(name => String(questionFlags[name]?.path.at(-1)));
  const seconds = isOpen ? windowSeconds.open : windowSeconds.closed;
  return {
    // Runs that compare different things are not runs of one config over time.
    name: [nameOfUrl(url), ...(compared.length === 0 ? [] : compared)].join('-'),
    target: { server: 'any', url },
    ...(Object.keys(workload).length === 0 ? {} : { workload }),
    scenarios: [scenario],
    ...(compared.length === 0 ? {} : { compare: compared }),
    rounds: { atLeast: minRounds, atMost: 50 },
    budgetSeconds,
    seconds,
    warmupSeconds: windowSeconds.closed,
  };
}

/**
 * The experiment built from a URL and flags.
 *
 * @throws PoolbenchError USAGE with the name of every flag that is wrong
 */
export function askedExperiment(url: string, asked: Asked): Experiment {
  const config = configOf(url, asked);
  const checked = experimentSchema.safeParse(config);
  if (checked.success) return checked.data;
  const flags = Object.entries(questionFlags).map(
    ([name, { path }]) => [nameOf(path, config), `--${name}`] as const,
  );
  const names = [...flags, ['target.url', 'URL'] as const];
  const faults = faultsOf(checked.error.issues, config).map(({ text }) => {
    const [key, name] =
      names.find(([key]) => text.startsWith(key) && !/^\w/.test(text.slice(key.length))) ?? [];
    // The index in the list was not typed; the value is shown.
    return key === undefined ? text : name + text.slice(key.length).replace(/^(\.rate)?(\[\d+\])?/, '');
  });
  throw new PoolbenchError('USAGE', faults.join('\n'));
}

/** The assumptions for everything that no flag sets, as the flags that would set it. */
export function describeAssumed(url: string, asked: Asked): string {
  const [group] = configOf(url, asked).scenarios;
  const words = Object.entries(questionFlags).flatMap(([name, { path }]) => {
    const value = group[String(path.at(-1))];
    return asked[name] !== undefined || !Array.isArray(value) ? [] : [`--${name} ${value.join(',')}`];
  });
  return words.length === 0 ? '' : `Assumed, because no flag sets it: ${words.join(' ')}`;
}

function isList(name: string, asked: Asked): boolean {
  return questionFlags[name]?.several === true && asked[name]?.includes(',') === true;
}

/** The numbers of a list, or a default if there are none. */
function numbersIn(list: unknown, otherwise: number): number[] {
  const numbers = Array.isArray(list) ? list.filter(value => typeof value === 'number') : [];
  return numbers.length > 0 ? numbers : [otherwise];
}
