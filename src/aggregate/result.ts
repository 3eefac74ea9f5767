import { z } from 'zod';
import { amount, instant, roundSchema } from './round.ts';
import { resultShape } from './scenario/scenario.ts';
import { type PooledMetric, type RatioMetric, type SummaryRow, summaryMetrics } from './stats/metrics.ts';
import { type ServerFieldName, serverFieldNames } from './stats/server-fields.ts';

/**
 * `result.json`, schemaVersion 1: what others may rely on. Latencies and times are in milliseconds, throughput in
 * operations per second, unless a name says otherwise. Null: nothing was measured. Optional keys and keys with a default
 * are absent from earlier results.
 */

/**
 * A median with its interval. JSON has no infinite numbers, so these are null in the file: an end that nothing bounds, and
 * a ratio to an arm that completed nothing in so many rounds. Only with a median that is infinite can `low` be, too: then
 * a `low` of null is that of such a ratio, else nothing bounds it.
 */
export const interval = z
  .object({ median: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() })
  .transform(({ median, low, high }) => ({
    median: median ?? Number.POSITIVE_INFINITY,
    low: low ?? (median === null ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY),
    high: high ?? Number.POSITIVE_INFINITY,
  }));

/**
 * Why a percentile is not what its name says. `lower bound`: operations were lost after a longer wait. `worst stall`: so
 * few cycles of a closed loop's workers were slower that one stall decides it. The last one is both, since 0.14.
 */
export const caveatSchema = z.enum(['lower bound', 'worst stall', 'lower bound of the worst stall']);

type FigureSchema<Metric> = Metric extends RatioMetric
  ? z.ZodNumber
  : Metric extends PooledMetric
    ? z.ZodNullable<z.ZodNumber>
    : Metric extends { inEveryRound: true }
      ? typeof interval
      : z.ZodNullable<typeof interval>;

/**
 * Medians and ratios over the rounds, see `summarise`. A latency is null if nothing has completed. Pooled tails are absent
 * as long as a run lasts.
 */
type SummaryShape = {
  [Metric in SummaryRow as Metric['summaryKey']]: Metric extends { since: string }
    ? z.ZodOptional<FigureSchema<Metric>>
    : FigureSchema<Metric>;
};
const summary = z.object(
  Object.fromEntries(summaryMetrics.map(metric => [metric.summaryKey, schemaOf(metric)])) as SummaryShape,
);

function schemaOf(metric: SummaryRow): z.ZodType {
  const schema = schemaOfFigure(metric);
  return metric.since === null ? schema : schema.optional();
}

function schemaOfFigure(metric: SummaryRow): z.ZodType {
  if ('part' in metric) return z.number();
  if ('pooled' in metric) return z.number().nullable();
  return 'inEveryRound' in metric ? interval : interval.nullable();
}

/** A ratio of two scenarios, paired by round. */
const comparison = z.object({
  /** What is compared, as text: "throughput", "response p99, pool effect". */
  measure: z.string(),
  /** Ids of the two scenarios; the ratio is other / base. */
  base: z.string(),
  other: z.string(),
  /** Rounds that the ratio is made of: those that both have measured, up to the last look. */
  rounds: z.number(),
  ratio: interval,
  /** Sign-flip permutation test of the paired log ratios, two-sided: exact up to 30 rounds, sampled above. */
  p: z.number(),
  /** The range that the claim predicts for this ratio, open where null; null: it predicts none. */
  predicted: z.object({ low: z.number().nullable(), high: z.number().nullable() }).nullable(),
  /** Of the measure in either scenario; absent: none. */
  caveat: caveatSchema.optional(),
  limitedBy: z.object({ base: z.string(), other: z.string() }),
});

const limitedBy = z.object({
  resource: z.enum(['client', 'server', 'machine', 'pool', 'network', 'none', 'unknown']),
  evidence: z.string(),
});

const scenario = z.object({
  id: z.string(),
  /** It is a control: it measured once more what the scenario with its id but for "-control" measured. */
  control: z.literal(true).optional(),
  ...resultShape,
  /** How many rounds it was to have: as many as decide the questions, or a fixed number, as before version 0.6. */
  plannedRounds: z.object({ atLeast: z.number(), atMost: z.number() }).optional(),
  rounds: z.array(roundSchema).max(10_000),
  /** Null before the first round. */
  summary: summary.nullable(),
  limitedBy,
  /** The same figures of each of its populations; absent if it runs alone. Since 0.10. */
  populations: z
    .array(
      z.object({
        name: z.string(),
        /** What it is, by the keys of a scenario. Since 0.11. */
        load: z.object(resultShape).optional(),
        /** It ran in the scenario's threads, so figures of threads include both; absent: it had its own threads. Since 0.12. */
        sharesThreads: z.literal(true).optional(),
        summary: summary.nullable(),
        limitedBy,
      }),
    )
    .optional(),
});

const claim = z.object({
  id: z.string(),
  statement: z.string(),
  predicted: z.string(),
  /** Of measured, low and high: "×" for a ratio, or for example "ms". */
  unit: z.string().default('×'),
  measured: z.number().nullable(),
  low: z.number().nullable(),
  high: z.number().nullable(),
  /** Where the claim predicts `measured`, open where null; null: it predicts no figure, or none was measured. */
  predictedRange: z
    .object({ low: z.number().nullable(), high: z.number().nullable() })
    .nullable()
    .default(null),
  verdict: z.enum(['supported', 'refuted', 'inconclusive', 'not tested']),
  reason: z.string(),
  /** What decided, in a sentence or two, with the caveat of the verdict. */
  gist: z.string().default(''),
  /** How many comparisons, or families that share the chance to err, can make the verdict false: see `falseVerdictChance`. */
  predictions: z.number().default(1),
  /** What limited the arms that were judged, each resource once. */
  limitedBy: z.array(z.string()).default([]),
  /** The ratios that were judged, or that belong beside those. Results of version 0.1 have another form. */
  comparisons: z.array(comparison).catch([]),
});

/** Two identical arms, measured like all others: their difference is the error of the run. */
const control = z.object({
  /** Throughput of the controls to that of their twins: per round the geometric mean over all pairs. */
  ratio: interval,
  /** Rounds that all of them have measured. */
  rounds: z.number(),
  /** Ids of the controls. */
  controls: z.array(z.string()),
});

/** A threshold of the config, judged for one scenario or a claim. */
export const thresholdSchema = z.object({
  metric: z.string(),
  /** As the config has it. */
  condition: z.string(),
  /** Id of the scenario; null for a claim, which is of the whole run. */
  scenario: z.string().nullable(),
  /** In the units of this file, or the verdict of a claim. Null counts as crossed. */
  value: z.union([z.number(), z.string()]).nullable(),
  crossed: z.boolean(),
  /** Of the value; absent: none. */
  caveat: caveatSchema.optional(),
});

const told = amount.nullable().default(null);

/** What the server told of itself beside the load; of a cluster all masters together, see `serverFields`. Null: it does not tell it. */
const serverSeries = z.object({
  /** Between two points: 1, or more in a run of hours, which keeps every second, fourth, … of them. */
  everySeconds: amount,
  points: z.array(
    z.object({
      /** When it answered. */
      at: instant,
      ...(Object.fromEntries(serverFieldNames.map(name => [name, told])) as Record<
        ServerFieldName,
        typeof told
      >),
    }),
  ),
  /** How often it was asked, and how often it did not answer. */
  asked: amount,
  unanswered: amount,
  /**
   * By its own count, all INFO commands that it ran in so many seconds, those of others and of other readings included, and
   * the time that it took to run them. Null: not known, or not yet.
   */
  cost: z.object({ calls: amount, micros: amount, seconds: amount }).nullable(),
});

/** What else explains figures of a machine. Null: not known; absent from results before 0.6. */
const machineShape = {
  /** CPUs that are online. */
  cpus: z.number().nullable().optional(),
  /** Those that poolbench may use: "0-3,8". */
  affinity: z.string().nullable().optional(),
  /** Cores that a control group allows; 'none' without a quota. */
  quotaCores: z
    .union([z.number(), z.literal('none')])
    .nullable()
    .optional(),
  /** Of the CPUs' frequency, as the kernel names it. */
  governor: z.string().nullable().optional(),
  /** Whether two threads share a core. */
  smt: z.boolean().nullable().optional(),
  /** What the virtual machine is, as far as it is known; 'none' on bare metal. */
  virtualisation: z.string().nullable().optional(),
};

export const resultSchema = z.object({
  schemaVersion: z.literal(1),
  complete: z.boolean(),
  name: z.string(),
  /** Equal on all sides that were measured in turn, whose rounds are paired; absent from other runs. */
  session: z.string().optional(),
  /** When a stopped run was resumed, and the time since its last write; absent from other runs. */
  resumed: z.array(z.object({ at: instant, afterRounds: z.number(), gapSeconds: z.number() })).optional(),
  /**
   * Why it ended by itself: all that it was asked is decided, it has the rounds that were planned, or its budget was spent.
   * Absent if it was ended, and before version 0.7.
   */
  ended: z.enum(['decided', 'rounds', 'budget']).optional(),
  startedAt: instant,
  finishedAt: instant,
  seed: z.number(),
  tool: z.object({ name: z.string(), version: z.string() }),
  environment: z.object({
    node: z.string(),
    os: z.string(),
    cpu: z.string(),
    /** What CPU affinity and quota leave to poolbench. */
    cores: z.number(),
    memoryBytes: z.number(),
    ...machineShape,
  }),
  /** The agents on which the load ran; absent if it ran here. `environment` is then that of the coordinator alone. */
  hosts: z
    .array(
      z.object({
        name: z.string(),
        node: z.string(),
        os: z.string(),
        cpu: z.string(),
        /** What CPU affinity and quota leave to poolbench there. */
        cores: amount,
        /** Threads of the run there. */
        threads: amount,
        /** A PING to the target before the run; null if none was answered. */
        roundTripMs: z.number().nullable(),
        /** True: it took part only before the run was resumed. Since 0.10. */
        left: z.literal(true).optional(),
      }),
    )
    .optional(),
  /** The clients that were measured, with the package and version of each; null: poolbench's own, or not told. Since 0.9. */
  clients: z
    .array(z.object({ client: z.string(), package: z.string().nullable(), version: z.string().nullable() }))
    .optional(),
  /**
   * The files that its workloads name (scripts, replays, values), each with its key in the config and the hash of its text
   * but not of its imports; absent without any, and before 0.10.
   */
  files: z
    .array(
      z.object({
        key: z.string(),
        file: z.string(),
        sha256: z.string(),
        /** How long the recording of a replay lasts until it is repeated; absent without instants, and before 0.13. */
        recordedSeconds: amount.optional(),
      }),
    )
    .optional(),
  /**
   * The claims on the prefixes of the run's keys, so that `--resume` can remove the keys, and the name of its connections,
   * which show whether it still runs. Absent once the keys are removed, and before 0.13.
   */
  keyClaims: z
    .object({
      connectionName: z.string(),
      prefixes: z.array(
        z.object({
          prefix: z.string(),
          token: z.string(),
          /** How many may be under it. */
          keys: amount,
          /** Names of the libraries of functions that the run was to load; absent without any, and before 0.14. */
          libraries: z.array(z.string()).optional(),
          /** Of an earlier command of the run, whose keys are still there; absent: the name above. Since 0.14. */
          connectionName: z.string().optional(),
        }),
      ),
    })
    .optional(),
  target: z.object({
    declared: z.object({ server: z.string(), url: z.string() }),
    detected: z.object({
      server: z.string(),
      version: z.string(),
      threads: z.number().nullable(),
      /** Descriptions of what it writes to disk; empty: nothing. Null: unknown. */
      persistence: z.array(z.string()).readonly().nullable().optional(),
      /** RESP version of the load, 2 or 3. */
      protocol: z.number().optional(),
      /** Masters of the cluster; null without a cluster. */
      masters: z.number().nullable().optional(),
    }),
    /** How it was found, as text: "running at redis://…", "binary /usr/bin/redis-server", … */
    foundBy: z.string(),
    standIn: z.boolean(),
    /** Why it is not the declared server, as text; absent unless it is a stand-in. */
    standInReason: z.string().optional(),
    /** Whether the certificate of its TLS was not checked. */
    unverified: z.boolean().optional(),
    /** Whether it shares this machine's cores with poolbench. */
    local: z.boolean(),
  }),
  /** Caveats of the figures. */
  warnings: z.array(z.string()),
  config: z.record(z.string(), z.unknown()),
  scenarios: z.array(scenario).max(10_000),
  /** From the end of the warm-up of the threads until the end of the last measurement. Since 0.9. */
  serverSeries: serverSeries.optional(),
  /** Absent if the run has no control. */
  control: control.optional(),
  claims: z.array(claim),
  /** What a run without claims compares: its arms with the first one of their block. */
  comparisons: z.array(comparison).default([]),
  /** Empty if the config sets none, or if the run ended early. */
  thresholds: z.array(thresholdSchema).default([]),
});

export type {
  CommandResult,
  CpuUse,
  LatencySummary,
  LoadResult,
  OpenLoopResult,
  PoolMetrics,
  PopulationRound,
  RoundResult,
  Times,
} from './round.ts';
export type { Interval } from './stats/statistics.ts';
export type Result = z.infer<typeof resultSchema>;
/** As the file has it: an arm, or a control. */
export type MeasuredResult = z.infer<typeof scenario>;
/**
 * An arm: no control. All that compares, judges or shows scenarios takes these, so that the compiler refuses the
 * scenarios of a result as they are: `withoutControls` of `stats/control.ts` makes them so.
 */
export interface ScenarioResult extends MeasuredResult {
  readonly control?: undefined;
}
export type ControlResult = z.infer<typeof control>;
export type ClaimResult = z.infer<typeof claim>;
export type SummaryResult = NonNullable<ScenarioResult['summary']>;
export type ThresholdResult = z.infer<typeof thresholdSchema>;
export type Verdict = ClaimResult['verdict'];
export type Comparison = z.infer<typeof comparison>;
export type Caveat = z.infer<typeof caveatSchema>;
export type HostResult = NonNullable<Result['hosts']>[number];
export type LimitedBy = ScenarioResult['limitedBy'];
