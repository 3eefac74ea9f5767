import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';

/** Lets the server fail to save, as on a disk that is full: the folder for its file is gone. */
export async function breakSaving(observer: Redis): Promise<void> {
  const [, directory] = (await observer.config('GET', 'dir')) as [string, string];
  await rm(directory, { recursive: true });
  await observer.bgsave();
  while (!(await observer.info('persistence')).includes('rdb_last_bgsave_status:err')) await sleep(10);
}

/** From now on the server, which could not save, is to save from time to time: it refuses writes until it can. */
export async function refuseWrites(observer: Redis): Promise<void> {
  await observer.config('SET', 'save', '3600 1');
}

/** It need not save any more. A server that must and cannot does not end when it is asked to. */
export async function acceptWrites(observer: Redis): Promise<void> {
  await observer.config('SET', 'save', '');
}
