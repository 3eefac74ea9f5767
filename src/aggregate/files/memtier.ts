import type { Result, RoundResult, ScenarioResult } from '../result.ts';
import { commandSections, totals } from './memtier-sections.ts';

/**
 * One scenario in the shape of the file that memtier_benchmark 2.x writes with `--json-out-file`, as plain data, for
 * programs that read those. Latencies are response times in ms. All rounds are taken together, one behind the other.
 * What memtier knows and poolbench does not measure is null, as memtier writes what is no number; a key `poolbench`
 * says what a reader of the figures must know.
 */
export function memtierDocument(result: Result, scenario: ScenarioResult): Record<string, unknown> {
  const { rounds } = scenario;
  const seconds = totalSeconds(rounds);
  const startMs = Date.parse(rounds[0]?.startedAt ?? result.startedAt);
  return {
    configuration: configuration(result, scenario),
    'run information': {
      Threads: scenario.threads,
      'Connections per thread': scenario.connections / scenario.threads,
      Seconds: seconds,
      'Format version': 2,
    },
    'ALL STATS': {
      Runtime: {
        'Start time': startMs,
        'Finish time': Math.round(startMs + seconds * 1000),
        'Total duration': Math.round(seconds * 1000),
        'Time unit': 'MILLISECONDS',
        Interrupted: String(!result.complete),
      },
      ...commandSections(rounds),
      Totals: totals(rounds),
    },
    poolbench: {
      version: result.tool.version,
      name: result.name,
      scenario: scenario.id,
      latency: 'response',
      complete: result.complete,
      target: result.target,
      warnings: result.warnings,
    },
  };
}

/** Only what has the same meaning in both. */
function configuration({ target, config }: Result, scenario: ScenarioResult) {
  const workload = isRecord(config.workload) ? config.workload : {};
  const url = URL.canParse(target.declared.url) ? new URL(target.declared.url) : null;
  const isSocket = url?.protocol === 'unix:';
  return {
    server: isSocket ? null : (url?.hostname ?? null),
    port: isSocket ? null : Number(url?.port || 6379),
    uri: target.declared.url,
    'unix socket': isSocket ? url.pathname : null,
    protocol: 'redis',
    tls: String(url?.protocol === 'rediss:'),
    run_count: scenario.rounds.length,
    // memtier's clients have a connection each; poolbench's workers share those of their pool.
    clients: scenario.workers / scenario.threads,
    threads: scenario.threads,
    test_time: config.seconds ?? null,
    pipeline: scenario.pipeline,
    data_size: typeof workload.valueBytes === 'number' ? workload.valueBytes : null,
    key_maximum: typeof workload.keys === 'number' ? workload.keys : null,
  };
}

function totalSeconds(rounds: readonly RoundResult[]): number {
  return rounds.reduce((sum, { seconds }) => sum + seconds, 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
