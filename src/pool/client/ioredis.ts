import { createRequire } from 'node:module';
import type * as ioredis from 'ioredis';

/**
 * ioredis, by `require`: an `import` first reads all of its files for the names that they export, which takes a thread
 * almost as long as to load them (95 instead of 165 ms of CPU).
 */
const loaded = createRequire(import.meta.url)('ioredis') as typeof ioredis;

export const { Cluster, Command, Redis } = loaded;
export type Cluster = ioredis.Cluster;
export type Redis = ioredis.Redis;
