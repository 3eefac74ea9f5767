import type { Caveat, RoundResult, ScenarioResult } from '../result.ts';
import { metrics } from '../stats/metrics.ts';
import { summarisedLoadsOf } from '../stats/populations.ts';
import { median, sumOf } from '../stats/statistics.ts';
import { caveatOfLoad } from '../stats/tails.ts';
import { formatCount, formatMs, nothing } from '../text/format.ts';
import { type Block, figures, heading, note, only, table, wide, words } from './blocks.ts';
import { withMark } from './marks.ts';

const deliveryNote =
  'Time from the send of a message (PUBLISH, SPUBLISH) to its arrival at each subscriber of its channel. Counts are sums over all rounds; latencies are medians over the rounds.';

const keys = ['p50', 'p99'] as const;
type Key = (typeof keys)[number];

interface Row {
  readonly id: string;
  readonly rounds: readonly NonNullable<RoundResult['deliveries']>[];
  /** Of lost messages no time is known. */
  readonly caveats: Readonly<Record<Key, Caveat | null>>;
}

/** The deliveries to subscribers; nothing without subscribers. */
export function deliveryBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = scenarios.flatMap(summarisedLoadsOf).flatMap(load => {
    const delivered = load.rounds.flatMap(({ deliveries }) => deliveries ?? []);
    const caveatOf = (key: Key) => caveatOfLoad(metrics[`delivery.${key}`], load);
    const caveats = { p50: caveatOf('p50'), p99: caveatOf('p99') };
    return delivered.length === 0 ? [] : [{ id: load.id, rounds: delivered, caveats }];
  });
  if (rows.length === 0) return [];
  const formatMedian = ({ rounds, caveats }: Row, key: Key) => {
    const timed = rounds.filter(({ received }) => received > 0);
    return timed.length === 0
      ? nothing
      : withMark(formatMs(median(timed.map(({ latency }) => latency[key]))), caveats[key]);
  };
  return [
    ...only(wide, [heading(2, 'Deliveries'), note(deliveryNote)]),
    table<Row>(
      rows,
      [
        words('scenario', ({ id }) => id),
        figures('subscribers', ({ rounds }) =>
          formatCount(Math.max(...rounds.map(({ subscribers }) => subscribers))),
        ),
        figures('expected', ({ rounds }) => formatCount(sumOf(rounds, ({ expected }) => expected))),
        figures('lost', ({ rounds }) => formatCount(sumOf(rounds, ({ lost }) => lost))),
        ...keys.map(key => figures<Row>(`${key} ms`, row => formatMedian(row, key))),
      ],
      'Deliveries to subscribers',
    ),
  ];
}
