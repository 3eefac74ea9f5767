import { expect, test } from 'vitest';
import { decodeHistogram } from '../src/aggregate/histogram.ts';
import { nowNs } from '../src/pool/clock.ts';
import { clientNames } from './support/connections.ts';
import { startScriptedServer } from './support/scripted-server.ts';
import { runOne } from './support/threads.ts';

/**
 * What lies between the server's clock and ours, and is latency too: two trips over loopback, and the turns of the
 * event loop that server and client share here, so that a busy machine delays both alike.
 */
const granularityMs = 1;

/** Of 1000 replies 3 are due after 50 ms, 15 after 20 ms and the others after 5 ms: p99 and p99.9 lie amid a step. */
function plannedMs(turn: number): number {
  const place = turn % 1000;
  return place % 333 === 100 ? 50 : place % 66 === 33 ? 20 : 5;
}

test.each(clientNames)(
  '%s: p50, p99 and p99.9 are those of the delays that the server measured',
  async client => {
    // Timers are only good to a millisecond: the server notes how late each reply really was.
    const delaysMs: number[] = [];
    let turn = 0;
    const { port } = await startScriptedServer(([command], reply) => {
      if (command !== 'GET' && command !== 'SET') {
        reply('+OK\r\n');
        return;
      }
      const arrivedNs = nowNs();
      setTimeout(() => {
        delaysMs.push((nowNs() - arrivedNs) / 1e6);
        reply('+OK\r\n');
      }, plannedMs(turn++));
    });
    const sample = await runOne(port, {
      // Few workers: replies that fall due together wait for one another in the event loop.
      ...{ client, seconds: 2, pools: [{ workers: 5, connections: 10, minIdle: 5 }] },
    });
    delaysMs.sort((a, b) => a - b);
    expect(sample).toMatchObject({ failed: {}, unfinished: 0, overRange: 0, completed: delaysMs.length });
    expect(delaysMs.length).toBeGreaterThan(1000);

    for (const encoded of [sample.service, sample.response]) {
      const histogram = decodeHistogram(encoded);
      for (const percentile of [50, 99, 99.9]) {
        const actualMs = delaysMs[Math.ceil((percentile / 100) * delaysMs.length) - 1] ?? Number.NaN;
        const recordedMs = histogram.getValueAtPercentile(percentile) / 1e6;
        expect(recordedMs, `p${percentile}`).toBeGreaterThan(actualMs * 0.98);
        expect(recordedMs, `p${percentile}`).toBeLessThan(actualMs * 1.02 + granularityMs);
      }
      histogram.destroy();
    }
  },
);
