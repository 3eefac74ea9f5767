import { z } from 'zod';
import { dimension } from '../../src/aggregate/scenario/dimension.ts';
import { dimensions } from '../../src/aggregate/scenario/dimensions.ts';
import type { ScenarioKey } from '../../src/aggregate/scenario/scenario.ts';

/** No real key may have this name: this row would replace it. */
export const newKey = 'inventedByTest' as ScenarioKey;
if (newKey in dimensions) throw new Error(`expected no row ${newKey} in dimensions.ts`);

// One row more in the table of dimensions. Everything that is made of the table, and is loaded after this, has it.
Object.assign(dimensions, {
  [newKey]: dimension({
    config: {
      item: z.boolean(),
      usual: false,
      since: '1000.0',
      description: 'Whether it is invented',
      label: on => (on ? 'invented' : 'real'),
    },
    result: z.boolean(),
    thread: true,
    path: on => (on ? 'invented' : ''),
    words: on => (on ? 'invented' : 'real'),
    setting: true,
  }),
});
