import { z } from 'zod';
import { formatPlural } from '../text/format.ts';
import { limits } from './limits.ts';
import { section, wholeNumber } from './schema-parts.ts';

/** Additional workers that send larger batches: none, in the same pools, or in separate pools. */
export interface BatchWorkers {
  readonly pool: 'none' | 'shared' | 'separate';
  readonly workers: number;
  readonly pipeline: number;
}

const batchIn = (pool: 'shared' | 'separate', description: string) =>
  section({
    pool: z.literal(pool).meta({ description }),
    workers: wholeNumber(1, limits.workers).meta({
      description: 'Number of these workers',
      unit: 'workers',
    }),
    pipeline: wholeNumber(2, limits.pipeline).meta({
      description: 'Number of commands in each of their batches',
      unit: 'commands',
    }),
  });
export const batchSchema = z.discriminatedUnion(
  'pool',
  [
    section({
      pool: z.literal('none').meta({ description: 'none: all workers send batches of the size `pipeline`' }),
    }),
    batchIn('shared', 'shared: in the same pools as the others'),
    batchIn('separate', 'separate: in separate pools; the connections are split by workers'),
  ],
  {
    error: issue =>
      issue.code === 'invalid_union'
        ? '"none" or "shared" or "separate"'
        : 'an object such as { "pool": "shared", "workers": 5, "pipeline": 100 }',
  },
);

/** As a result has it. */
export const batchResult = z.object({ pool: z.string(), workers: z.number(), pipeline: z.number() });

const noBatch: BatchWorkers = { pool: 'none', workers: 0, pipeline: 0 };

export function expandBatches(batches: readonly z.output<typeof batchSchema>[]): BatchWorkers[] {
  return batches.map(batch => (batch.pool === 'none' ? noBatch : batch));
}

/** In the id of a scenario: `nobatch`, `sharedBatch5x100`. */
export function labelBatch({ pool, workers, pipeline }: BatchWorkers): string {
  return pool === 'none' ? 'nobatch' : `${pool}Batch${workers}x${pipeline}`;
}

/** "no batch workers", "5 batch workers at depth 100 in separate pools". */
export function describeBatch({ pool, workers, pipeline }: z.output<typeof batchResult>): string {
  if (pool === 'none') return 'no batch workers';
  return `${formatPlural(workers, 'batch worker')} at depth ${pipeline} in ${pool} pools`;
}
