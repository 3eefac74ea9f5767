import { z } from 'zod';
import { dimension } from '../../src/aggregate/scenario/dimension.ts';
import { dimensions } from '../../src/aggregate/scenario/dimensions.ts';

// One row more in the table of dimensions. Everything that is made of the table, and is loaded after this, has it.
Object.assign(dimensions, {
  noDelay: dimension({
    config: {
      item: z.boolean(),
      usual: false,
      description: 'Whether sockets wait to fill a packet',
      label: on => (on ? 'noDelay' : 'delay'),
    },
    result: z.boolean().default(false),
    agrees: true,
    thread: true,
    path: on => (on ? 'no delay' : ''),
    words: on => (on ? 'no delay' : 'delay'),
    setting: true,
  }),
});
