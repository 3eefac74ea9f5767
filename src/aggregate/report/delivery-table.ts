import type { RoundResult, ScenarioResult } from '../result.ts';
import { loadsOf } from '../stats/populations.ts';
import { median, sumOf } from '../stats/statistics.ts';
import { formatCount, formatKnown, formatMs } from '../text/format.ts';
import { type Block, figures, heading, note, only, table, wide, words } from './blocks.ts';

const deliveryNote =
  'Time from the send of a message (PUBLISH, SPUBLISH) to its arrival at each subscriber of its channel. Counts are sums over all rounds; latencies are medians over the rounds.';

interface Row {
  readonly id: string;
  readonly rounds: readonly NonNullable<RoundResult['deliveries']>[];
}

/** The deliveries to subscribers; nothing without subscribers. */
export function deliveryBlocks(scenarios: readonly ScenarioResult[]): Block[] {
  const rows = scenarios.flatMap(loadsOf).flatMap(({ id, rounds }) => {
    const delivered = rounds.flatMap(({ deliveries }) => deliveries ?? []);
    return delivered.length === 0 ? [] : [{ id, rounds: delivered }];
  });
  if (rows.length === 0) return [];
  const medianOf = ({ rounds }: Row, key: 'p50' | 'p99') => {
    const timed = rounds.filter(({ received }) => received > 0);
    return timed.length === 0 ? null : median(timed.map(({ latency }) => latency[key]));
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
        figures('p50 ms', row => formatKnown(medianOf(row, 'p50'), formatMs)),
        figures('p99 ms', row => formatKnown(medianOf(row, 'p99'), formatMs)),
      ],
      'Deliveries to subscribers',
    ),
  ];
}
