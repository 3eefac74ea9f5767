import type { Redis } from 'ioredis';
import type { Address } from '../../pool/address.ts';
import { servesReads } from './refusal.ts';

/** Connects, logs in, waits until the server has read its data, and selects the database. Rejects with the first refusal. */
export async function logIn(redis: Redis, address: Address): Promise<void> {
  await redis.connect();
  if (address.password !== undefined) {
    const { username, password } = address;
    await (username === undefined ? redis.call('AUTH', password) : redis.call('AUTH', username, password));
  }
  for (;;) {
    try {
      await redis.call('PING');
      break;
    } catch (error) {
      // A server that has just been started reads its data first; the caller's time limit bounds this wait.
      if (servesReads(error)) break;
      if (!(error instanceof Error) || !error.message.startsWith('LOADING')) throw error;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  }
  if (address.database !== 0) await redis.call('SELECT', address.database);
}
