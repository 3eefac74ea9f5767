import { expect, test } from 'vitest';
import { nowNs } from '../../src/pool/clock.ts';
import { clientNames } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { startScriptedServer } from '../support/scripted-server.ts';
import { type PlainSample, runOne, type TaskOptions } from '../support/threads.ts';

const percentiles = [50, 99, 99.9];

/**
 * Of 1000 replies 3 are due after 150 ms, 15 after 70 ms and the others after 30 to 36 ms: p99 and p99.9 lie amid a
 * step. The spread keeps replies from falling due together, for then they wait for one another in the event loop.
 */
function plannedMs(turn: number): number {
  const place = turn % 1000;
  return place % 333 === 100 ? 150 : place % 66 === 33 ? 70 : 30 + (turn % 7);
}

/** A load, and how late each reply really left by the server's own clock, from receipt to write, in order of length. */
async function drive(
  planMs: ((turn: number) => number) | undefined,
  options: TaskOptions,
): Promise<{ sample: PlainSample; delaysMs: number[] }> {
  const delaysMs: number[] = [];
  let turn = 0;
  const { port } = await startScriptedServer(([command], reply) => {
    if (command !== 'GET' && command !== 'SET') {
      reply('+OK\r\n');
      return;
    }
    const arrivedNs = nowNs();
    const answer = () => {
      delaysMs.push((nowNs() - arrivedNs) / 1e6);
      reply('+OK\r\n');
    };
    if (planMs === undefined) answer();
    else setTimeout(answer, planMs(turn++));
  });
  const sample = await runOne(port, options);
  expect(sample).toMatchObject({ failed: {}, unfinished: 0, overRange: 0, completed: delaysMs.length });
  return { sample, delaysMs: delaysMs.sort((a, b) => a - b) };
}

function recordedMs(encoded: string): number[] {
  const histogram = decodeHistogram(encoded);
  const found = percentiles.map(percentile => histogram.getValueAtPercentile(percentile) / 1e6);
  histogram.destroy();
  return found;
}

function actualMs(delaysMs: readonly number[]): number[] {
  return percentiles.map(
    percentile => delaysMs[Math.ceil((percentile / 100) * delaysMs.length) - 1] ?? Number.NaN,
  );
}

/**
 * What lies between the server's clock and ours, and is latency too: two trips over loopback, and the turns of the
 * event loop that server and client share here. Measured, as what a worker of its own records at p50 beyond no delay.
 */
async function measureGranularityMs(client: TaskOptions['client'] & string): Promise<number> {
  const { sample, delaysMs } = await drive(undefined, {
    ...{ client, seconds: 0.2, pools: [{ workers: 1, connections: 1, minIdle: 1 }] },
  });
  return (recordedMs(sample.response)[0] ?? Number.NaN) - (actualMs(delaysMs)[0] ?? Number.NaN);
}

// Retried, for other tests share the two cores: a process that loses its core between the server's clock and ours is late.
test.each(clientNames)(
  '%s: p50, p99 and p99.9 are those of the delays that the server measured',
  {
    retry: 2,
  },
  async client => {
    const granularityMs = await measureGranularityMs(client);
    expect(granularityMs).toBeLessThan(1);
    const { sample, delaysMs } = await drive(plannedMs, {
      ...{ client, seconds: 1.5, pools: [{ workers: 28, connections: 28, minIdle: 28 }] },
    });
    expect(delaysMs.length).toBeGreaterThan(1000);
    const actual = actualMs(delaysMs);
    // Each percentile is of a step of its own, or the test would compare less than it says.
    expect(actual.map(ms => [30, 70, 150].findLast(step => ms > step * 0.95))).toEqual([30, 70, 150]);

    for (const encoded of [sample.service, sample.response]) {
      const recorded = recordedMs(encoded);
      for (const [index, percentile] of percentiles.entries()) {
        const exact = actual[index] ?? Number.NaN;
        expect(recorded[index], `p${percentile}`).toBeGreaterThan(exact * 0.98);
        expect(recorded[index], `p${percentile}`).toBeLessThan(exact * 1.02 + granularityMs);
      }
    }
  },
);
