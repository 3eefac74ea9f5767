import type { z } from 'zod';
import { numberBetween, section } from '../../aggregate/scenario/schema-parts.ts';
import type { ConditionName } from '../../aggregate/search/conditions.ts';

const conditions = {
  responseP99Ms: numberBetween(0.001, 600_000).nullable().default(null).meta({
    description: 'The response p99 of a repeat is at most this; null: any',
    unit: 'milliseconds',
  }),
  completedShare: numberBetween(0, 1).default(0.99).meta({
    description: 'At least this share of what is due in a repeat completes',
    unit: 'share, 0 to 1',
  }),
  failedShare: numberBetween(0, 1).default(0.001).meta({
    description: 'At most this share of what is sent in a repeat fails',
    unit: 'share, 0 to 1',
  }),
} satisfies Record<ConditionName, z.ZodType>;

export const search = section({
  ...conditions,
  precision: numberBetween(0.005, 1).default(0.05).meta({
    description: 'How far apart the rates that clearly pass and clearly fail may be at the end',
    unit: 'share of the lower one',
  }),
})
  .nullable()
  .default(null)
  .meta({
    description:
      'What `poolbench search` looks for: the highest rate that meets these conditions; null: nothing. Other commands do without it',
  });
