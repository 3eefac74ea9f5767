import { z } from 'zod';
import { resultSchema } from '../result.ts';
import { instant } from '../round.ts';
import { type ConditionName, conditionNames } from './conditions.ts';

/**
 * `search.json`, schemaVersion 1: the highest rate that meets the conditions, and every step on the way to it. Rates are
 * in operations per second. `steps/result.json` has all figures of all repeats: a scenario for each rate, a round for
 * each repeat.
 */

const limitedBy = resultSchema.shape.scenarios.element.shape.limitedBy;

/** For each figure that a condition can limit: the figure of a repeat, or the limit. */
const figures = {
  responseP99Ms: z.number().nullable(),
  completedShare: z.number(),
  failedShare: z.number(),
} satisfies Record<ConditionName, z.ZodType>;

/** One measurement at a rate. */
const repeat = z.object({
  /** The round in steps/result.json. */
  round: z.number(),
  passed: z.boolean(),
  offered: z.number(),
  sent: z.number(),
  completed: z.number(),
  /** Completed in the window. */
  opsPerSecond: z.number(),
  ...figures,
  /** The generator's own lag. */
  lagP99Ms: z.number().nullable(),
});

/** One condition over the repeats of a step. */
const condition = z.object({
  name: z.enum(conditionNames),
  limit: z.number(),
  /** Over the repeats, those without the figure above all others; null if it is one of them. */
  median: z.number().nullable(),
  /** Repeats that met it. */
  met: z.number(),
  verdict: z.enum(['pass', 'fail', 'unclear']),
});

const step = z.object({
  /** From 1. */
  step: z.number(),
  rate: z.number(),
  /** unfinished: the search was stopped before the verdict. */
  verdict: z.enum(['pass', 'fail', 'unclear', 'unfinished']),
  conditions: z.array(condition),
  repeats: z.array(repeat),
  limitedBy,
});

export const searchSchema = z.object({
  schemaVersion: z.literal(1),
  /** False: it was stopped before the interval was narrow enough. */
  complete: z.boolean(),
  name: z.string(),
  startedAt: instant,
  finishedAt: instant,
  seed: z.number(),
  tool: resultSchema.shape.tool,
  environment: resultSchema.shape.environment,
  hosts: resultSchema.shape.hosts,
  target: resultSchema.shape.target,
  warnings: z.array(z.string()),
  config: resultSchema.shape.config,
  /** The scenario at its first rate. */
  scenario: z.object({ id: z.string(), threads: z.number(), workers: z.number(), connections: z.number() }),
  conditions: z.object(figures),
  precision: z.number(),
  steps: z.array(step),
  knee: z.object({
    /** The best guess; null if no rate clearly passed. */
    rate: z.number().nullable(),
    /** The highest rate that clearly passed, and the lowest that clearly failed; null if none did. */
    low: z.number().nullable(),
    high: z.number().nullable(),
    /** Whether the client's side is the limit, so that the server may well do more. */
    lowerBound: z.boolean(),
    /** Of the lowest rate that clearly failed; null if none did. */
    limitedBy: limitedBy.nullable(),
    /** The same in a sentence or two. */
    gist: z.string(),
  }),
});

export type Search = z.infer<typeof searchSchema>;
export type SearchStep = Search['steps'][number];
export type Knee = Search['knee'];
