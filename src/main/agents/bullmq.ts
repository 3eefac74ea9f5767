import { createRequire } from 'node:module';
import type * as bullmq from 'bullmq';

/** BullMQ, by `require` like ioredis: an `import` first reads all of its files for the names that they export. */
const loaded = createRequire(import.meta.url)('bullmq') as typeof bullmq;

export const { Queue, Worker } = loaded;
export type Queue = bullmq.Queue;
export type Worker = bullmq.Worker;

/** Jobs carry nothing that anybody looks at later. */
export const keptNowhere = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/** Of a queue's stream of events, which nobody reads. */
export const shortStreams = { events: { maxLen: 10 } } as const;
