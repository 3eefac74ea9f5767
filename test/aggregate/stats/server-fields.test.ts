import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import {
  readServerFigures,
  serverFieldNames,
  serverFields,
} from '../../../src/aggregate/stats/server-fields.ts';
import { areApart, measuredWindows, serverCurve } from '../../../src/aggregate/stats/server-series.ts';
import { parseInfo } from '../../../src/main/server/control.ts';
import { buildResult, buildRound, buildScenario, buildServerSeries } from '../../support/result-builder.ts';

const infoOf = async (name: string) =>
  parseInfo(await readFile(new URL(`../../fixtures/${name}.info.txt`, import.meta.url), 'utf8'));

describe('figures that a server reports', () => {
  test('Redis reports all of them; without a replica there is no lag', async () => {
    expect(readServerFigures([await infoOf('redis-7.0.15')])).toEqual({
      usedMemoryBytes: 6_125_048,
      residentMemoryBytes: 12_935_168,
      evictedKeys: 0,
      expiredKeys: expect.any(Number),
      connectedClients: 1,
      keyspaceHits: 117_071_377,
      keyspaceMisses: 647_451,
      netInputBytes: 11_020_927_392,
      netOutputBytes: 4_628_152_206,
      latestForkMicros: 0,
      replicationLagBytes: null,
    });
    const valkey = readServerFigures([await infoOf('valkey-8.0.1')]);
    expect(valkey).toMatchObject({
      usedMemoryBytes: 950_008,
      latestForkMicros: 0,
      replicationLagBytes: null,
    });
  });

  test('what Dragonfly does not report is null and not 0', async () => {
    const figures = readServerFigures([await infoOf('dragonfly-1.40.1')]);
    expect(figures).toMatchObject({ usedMemoryBytes: 565_392, netOutputBytes: 7, evictedKeys: 0 });
    expect([figures.latestForkMicros, figures.replicationLagBytes]).toEqual([null, null]);
  });

  test('a server that reports nothing has nothing, and neither has a counter below 0', () => {
    const nothing = Object.fromEntries(serverFieldNames.map(name => [name, null]));
    expect(readServerFigures([new Map()])).toEqual(nothing);
    expect(readServerFigures([])).toEqual(nothing);
    const strange = [
      'connected_clients:-3',
      'evicted_keys:18446744073709551615',
      'used_memory:',
      'expired_keys:x',
    ];
    expect(readServerFigures([parseInfo(strange.join('\n'))])).toEqual(nothing);
  });

  test('the lag is that of the slowest replica that is online', () => {
    const lagOf = (...lines: string[]) =>
      readServerFigures([parseInfo(lines.join('\r\n'))]).replicationLagBytes;
    const replicas = [
      'master_repl_offset:1000',
      'slave0:ip=127.0.0.1,port=6380,state=online,offset=990,lag=0',
      'slave1:ip=127.0.0.1,port=6381,state=online,offset=400,lag=1',
      'slave2:ip=127.0.0.1,port=6382,state=wait_bgsave,offset=0,lag=0',
    ];
    expect(lagOf(...replicas)).toBe(600);
    expect(lagOf(...replicas.slice(0, 2))).toBe(10);
    expect(lagOf('master_repl_offset:1000', 'slave0:state=online,offset=1007')).toBe(0);
    expect(lagOf('master_repl_offset:1000', 'slave0:state=online,offset=0')).toBeNull();
    expect(lagOf('slave0:state=online,offset=10')).toBeNull();
  });

  test('of several masters it is the sum that all of them report, and the longest fork', () => {
    const masters = [
      'used_memory:10\nevicted_keys:1\nlatest_fork_usec:70',
      'used_memory:20\nlatest_fork_usec:300',
    ].map(parseInfo);
    expect(readServerFigures(masters)).toMatchObject({
      usedMemoryBytes: 30,
      evictedKeys: null,
      latestForkMicros: 300,
    });
  });

  test('rows that share a chart have the same unit and kind, and no two rows share a metric', () => {
    const rows = Object.values(serverFields);
    const charts = new Map(rows.map(({ chart, unit, kind }) => [chart, { unit, kind }]));
    for (const { chart, unit, kind } of rows) expect({ unit, kind }).toEqual(charts.get(chart));
    expect(new Set(rows.map(({ prometheus }) => prometheus)).size).toBe(rows.length);
  });
});

describe('curves', () => {
  test('a gauge is as it was reported, a counter is what it grew by each second', () => {
    const series = buildServerSeries([
      { usedMemoryBytes: 5, evictedKeys: 100 },
      { usedMemoryBytes: 7, evictedKeys: 130 },
      { usedMemoryBytes: null, evictedKeys: null },
      { usedMemoryBytes: 6, evictedKeys: 150 },
    ]);
    expect(serverCurve(series, 'usedMemoryBytes').map(({ value }) => value)).toEqual([5, 7, null, 6]);
    const evicted = serverCurve(series, 'evictedKeys');
    expect(evicted.map(({ value }) => value)).toEqual([null, 30, null, null]);
    expect(evicted.map(({ grown }) => grown)).toEqual([0, 30, 0, 0]);
  });

  test('nothing is known of a counter that was reset, or over a time without answers', () => {
    const series = buildServerSeries([{ evictedKeys: 500 }, { evictedKeys: 3 }, { evictedKeys: 5 }]);
    expect(serverCurve(series, 'evictedKeys').map(({ value }) => value)).toEqual([null, null, 2]);
    const [first, , last] = series.points;
    if (first === undefined || last === undefined) throw new Error('no points');
    const late = {
      ...series,
      points: [first, { ...last, at: '2026-11-23T10:00:40.000Z', evictedKeys: 900 }],
    };
    expect(serverCurve(late, 'evictedKeys').map(({ value }) => value)).toEqual([null, null]);
    expect(areApart(0, 2000, series)).toBe(false);
    expect(areApart(0, 40_000, series)).toBe(true);
  });

  test('the windows of a run are in order, with those of controls as their twins', () => {
    const at = (second: number) => ({ startedAt: `2026-11-23T10:00:0${second}.000Z` });
    const scenario = buildScenario({ id: 'a' }, [buildRound(1, 10, at(4)), buildRound(2, 10)]);
    const result = buildResult([scenario]);
    const control = {
      ...scenario,
      id: 'a-control',
      control: true as const,
      rounds: [buildRound(1, 10, at(2))],
    };
    const windows = measuredWindows({ scenarios: [...result.scenarios, control] });
    const startMs = Date.parse('2026-11-23T10:00:00.000Z');
    expect(windows.map(({ fromMs, toMs, ...rest }) => [rest, fromMs - startMs, toMs - startMs])).toEqual([
      [{ scenario: 'a', round: 1 }, 2000, 3000],
      [{ scenario: 'a', round: 1 }, 4000, 5000],
    ]);
  });
});
