import { expect, test } from 'vitest';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { planRun } from '../../../src/main/experiment/plan.ts';
import { describeRing } from '../../../src/main/run/preflight-side.ts';
import type { Target } from '../../../src/main/server/find-target.ts';

test.each([
  ['direct', false],
  [['direct', 'io_uring'], false],
  [['direct', 'stream'], true],
] as const)(
  'whether io_uring can be used matters to those who compare transports without it: %o',
  (transport, says) => {
    const experiment = experimentSchema.parse({
      name: 'ring',
      target: { server: 'redis', url: 'rediss://h' },
      scenarios: [{ client: 'ioredis' }, { client: 'wire', transport }],
    });
    const [side] = planRun([experiment]).sides;
    if (side === undefined) throw new Error('expected a side');
    const target = { address: { tls: {} } } as unknown as Target;
    expect(describeRing(side, target)).toMatch(says ? /io_uring.*TLS/ : /^$/);
  },
);
