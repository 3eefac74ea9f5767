import { median } from '../../aggregate/statistics.ts';
import { nowNs } from '../../pool/clock.ts';
import { type Control, isRefusal } from '../target/control.ts';

const mostPings = 20;
const budgetMs = 100;

/**
 * What a round trip costs when nobody else wants anything: the median of PINGs, one after another, in milliseconds.
 * At most 20, and no new one after 100 ms; a refused PING has made the trip, too. A cluster's masters are asked in
 * turn. Null when none was answered.
 */
export async function measureBaseRoundTripMs(control: Control): Promise<number | null> {
  const tripsMs: number[] = [];
  const endNs = nowNs() + budgetMs * 1e6;
  do {
    const startNs = nowNs();
    const node = control.nodes[tripsMs.length % control.nodes.length] ?? control;
    const answered = await node.call('PING').then(() => true, isRefusal);
    // A server that is gone tells nothing; that it is gone is noticed elsewhere.
    if (!answered) break;
    tripsMs.push((nowNs() - startNs) / 1e6);
  } while (tripsMs.length < mostPings && nowNs() < endNs);
  return tripsMs.length === 0 ? null : median(tripsMs);
}
