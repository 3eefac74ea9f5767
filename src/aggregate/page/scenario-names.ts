import type { ScenarioResult } from '../result.ts';
import { describeArrival } from '../setting.ts';
import { formatPlural } from '../text/format.ts';

/** "2 pools", "4 pools in 1 thread": a pool has a thread of its own unless told. */
export function namePools({ pools, threads }: ScenarioResult): string {
  return `${formatPlural(pools, 'pool')}${threads === pools ? '' : ` in ${formatPlural(threads, 'thread')}`}`;
}

/** What tells a scenario from the others of its setting: "50 workers, 2 pools". */
export function nameSize(scenario: ScenarioResult): string {
  const { workers, arrival } = scenario;
  const size = `${formatPlural(workers, 'worker')}, ${namePools(scenario)}`;
  return arrival.kind === 'closed' ? size : `${size}, ${describeArrival(arrival)}`;
}

/** By workers, pools, threads and rate: the order of every table and chart of one setting. */
export function bySize(a: ScenarioResult, b: ScenarioResult): number {
  return (
    a.workers - b.workers ||
    a.pools - b.pools ||
    b.threads - a.threads ||
    (a.arrival.rate ?? 0) - (b.arrival.rate ?? 0)
  );
}

/** Two scenarios by what they share and what tells them apart: "100 workers: 2 pools to 1 pool". */
export function namePair(base: ScenarioResult, other: ScenarioResult): string {
  const [ofBase, ofOther] = [aspectsOf(base), aspectsOf(other)];
  const shared = ofOther.filter((aspect, index) => aspect.told && aspect.text === ofBase[index]?.text);
  const differing = ofOther.flatMap((aspect, index) => {
    const before = ofBase[index];
    if (before === undefined || aspect.text === before.text || !aspect.tells(base, other)) return [];
    return [`${aspect.text} to ${before.text}`];
  });
  const apart = differing.length === 0 ? `${other.id} to ${base.id}` : differing.join(', ');
  return `${shared.map(({ text }) => text).join(', ')}: ${apart}`;
}

interface Aspect {
  readonly text: string;
  /** Whether it is worth telling of both. */
  readonly told: boolean;
  /** Whether a difference in it is one of its own. */
  readonly tells: (base: ScenarioResult, other: ScenarioResult) => boolean;
}

function aspectsOf(scenario: ScenarioResult): Aspect[] {
  const { client, pool, workers, pipeline, connections, minIdle, healthTtlMs, probe, arrival, connects } =
    scenario;
  const always = () => true;
  const ofSize = (base: ScenarioResult, other: ScenarioResult) =>
    base.workers === other.workers && base.pool === other.pool;
  return [
    { text: client, told: true, tells: always },
    { text: pool, told: true, tells: always },
    { text: formatPlural(workers, 'worker'), told: true, tells: always },
    { text: namePools(scenario), told: false, tells: always },
    { text: `pipeline ${pipeline}`, told: pipeline > 1, tells: always },
    { text: describeArrival(arrival), told: arrival.kind !== 'closed', tells: always },
    { text: formatPlural(connections, 'connection'), told: false, tells: ofSize },
    { text: `minIdle ${minIdle}`, told: false, tells: ofSize },
    { text: `health TTL ${healthTtlMs} ms`, told: false, tells: ofSize },
    { text: probe, told: false, tells: ofSize },
    { text: `${connects} connects`, told: false, tells: ofSize },
  ];
}
