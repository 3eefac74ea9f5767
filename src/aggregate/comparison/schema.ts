import { z } from 'zod';
import { caveatSchema, interval, resultSchema, thresholdSchema } from '../result.ts';
import { instant } from '../round.ts';
import { type ComparedRow, comparedMetrics } from '../stats/metrics.ts';

/** `comparison.json`, schemaVersion 1: results side by side. All ratios are to the first side. */

/** An interval for each compared metric; null if nothing was measured. */
type Intervals<Key extends 'summaryKey' | 'ratioKey'> = {
  [Metric in ComparedRow as Metric[Key]]: Metric extends { since: string }
    ? z.ZodOptional<z.ZodNullable<typeof interval>>
    : z.ZodNullable<typeof interval>;
};

function intervals<Key extends 'summaryKey' | 'ratioKey'>(key: Key): Intervals<Key> {
  const shape = comparedMetrics.map(metric => [
    metric[key],
    metric.since === null ? interval.nullable() : interval.nullable().optional(),
  ]);
  return Object.fromEntries(shape) as Intervals<Key>;
}

const side = z.object({
  /** Of the run, with a number behind it where two have the same. */
  name: z.string(),
  startedAt: instant,
  finishedAt: instant,
  target: resultSchema.shape.target,
  /** Whether its rounds are paired with those of the first side: they were measured in turn. Null for the first. */
  paired: z.boolean().nullable(),
  /** Its two identical arms; absent if it has no control. */
  control: resultSchema.shape.control,
});

const check = z.object({
  /** What should be equal, or off, or absent. */
  name: z.string(),
  state: z.enum(['ok', 'not ok', 'unknown']),
  /** The value on each side. */
  values: z.array(z.string()),
  /** Its effect on the figures, or why it is ok; otherwise empty. */
  note: z.string(),
});

const scenarioSide = z.object({
  side: z.string(),
  ...intervals('summaryKey'),
  /** The p99 of all rounds together; null if nothing was measured. */
  pooledResponseP99: z.number().nullable().optional(),
  /** Of these figures, by their keys; absent from results before 0.6. */
  caveats: z.record(z.string(), caveatSchema).optional(),
  limitedBy: z.object({ resource: z.string(), evidence: z.string() }),
  /** To the first side; null for the first side itself. */
  ratios: z
    .object({
      /** Rounds that both have measured if they are paired, else those of the side that has fewer. */
      rounds: z.number(),
      /** Min probability with which an interval covers the true ratio, 0 to 1; 0: there are too few rounds for one. */
      coverage: z.number(),
      ...intervals('ratioKey'),
    })
    .nullable(),
});

const scenario = z.object({
  id: z.string(),
  /** The first side, and every other one that has measured this scenario. */
  sides: z.array(scenarioSide),
  /** Caveats of these ratios. */
  notes: z.array(z.string()),
});

const gate = z.object({
  /** "response.p99 > +5%". */
  condition: z.string(),
  /** The ratio that it means: 1.05. */
  threshold: z.number(),
  /** What is compared: with the first side, or with the runs before it. */
  side: z.string(),
  /** Null: no scenario can decide it. */
  scenario: z.string().nullable(),
  outcome: z.enum(['beyond', 'within', 'cannot tell']),
  /** Null: nothing was compared. */
  ratio: interval.nullable(),
  /** Rounds that the ratio is made of, if both were measured in turn; else null. */
  rounds: z.number().nullable(),
  /** Runs of the baseline that it is a ratio to; else null. */
  runs: z.number().nullable(),
  /** Why nothing is decided, what is excluded, what would decide it, and caveats; else empty. */
  reason: z.string(),
});

export const comparisonSchema = z.object({
  schemaVersion: z.literal(1),
  /** Whether all sides were measured to their end. */
  complete: z.boolean(),
  sides: z.array(side),
  /** Whether the comparison is fair. */
  checks: z.array(check),
  scenarios: z.array(scenario),
  claims: resultSchema.shape.claims,
  /** Those that each side was held to. */
  thresholds: z.array(thresholdSchema.extend({ side: z.string() })).default([]),
  /** Conditions of `--fail-if`: each metric in each scenario of each side. */
  gates: z.array(gate).default([]),
});

export type ResultComparison = z.infer<typeof comparisonSchema>;

export type GateResult = z.infer<typeof gate>;
export type FairnessCheck = z.infer<typeof check>;
export type ComparedScenario = z.infer<typeof scenario>;
/** The compared metrics of one side. */
export type ComparedFigures = z.infer<z.ZodObject<Intervals<'summaryKey'>>>;
export type SideRatios = NonNullable<z.infer<typeof scenarioSide>['ratios']>;
