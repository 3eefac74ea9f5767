import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { mergeSamples } from '../../src/aggregate/stats/merge.ts';
import { metrics } from '../../src/aggregate/stats/metrics.ts';
import { caveatOf } from '../../src/aggregate/stats/tails.ts';
import { judgeThresholds } from '../../src/aggregate/thresholds/judge-thresholds.ts';
import { nowNs } from '../../src/pool/clock.ts';
import { until } from '../support/connections.ts';
import { startProxy } from '../support/proxy.ts';
import { buildScenario } from '../support/result-builder.ts';
import { shareServer, type TestServer } from '../support/servers.ts';
import { runOne } from '../support/threads.ts';

let server: TestServer;

beforeAll(async () => {
  server = await shareServer();
});

const context = {
  ...{ round: 1, startedAt: null, serverCalls: null, cuts: 0, basePingMs: null },
  ...{ machineBusyShare: 0, serverCores: null, serverMainThreadCores: null, clientCpuMicros: 0 },
};

test.each(['constant', 'closed'] as const)(
  '%s: what waited for a server that fell silent, and was then reset, makes p99 a lower bound that meets no threshold',
  async kind => {
    const proxy = await startProxy(server.port);
    const arrivals = { kind: 'constant', rate: 200, size: 1 } as const;
    const warmupSeconds = 0.2;
    const options = {
      warmupSeconds,
      seconds: 30,
      pools: [{ workers: 30, connections: 30 }],
      openLoop: kind === 'closed' ? null : { arrivals, pools: 1, firstPool: 0 },
    };
    const sample = await runOne(proxy.port, options, async (shared, releasedNs) => {
      await until(() => proxy.accepted >= 30 && nowNs() > releasedNs + warmupSeconds * 1e9);
      const { completed } = shared.progress(0);
      await until(() => shared.progress(0).completed > completed + 100);
      proxy.silent = true;
      // Longer than anything before can have taken, whatever kept a busy machine from it.
      await sleep((nowNs() - releasedNs) / 1e6 + 50);
      proxy.silent = false;
      proxy.cut('reset');
      await until(() => Object.keys(shared.failures(0)).length > 0);
      shared.stop(nowNs());
    });
    const round = mergeSamples([sample], context);
    const arrival = kind === 'closed' ? { kind } : arrivals;
    const scenario = buildScenario({ workers: 30, arrival }, [round]);
    expect(Object.values(round.failed).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    // An operation that completes is served at once, however long it was due.
    expect(round.failedLater?.service.p99).toBeGreaterThan(0);
    // Each worker of the closed loop made only some cycles.
    const caveat = kind === 'closed' ? 'lower bound of the worst stall' : 'lower bound';
    expect(caveatOf(metrics['service.p99'], scenario)).toBe(caveat);
    const target = { standIn: false };
    const judged = judgeThresholds({ 'service.p99': '< 60s' }, { target, scenarios: [scenario], claims: [] });
    expect(judged).toMatchObject([{ crossed: true, caveat }]);
  },
);
