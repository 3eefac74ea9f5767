import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ConnectionCutter, type Cut } from '../../../src/main/run/connection-cutter.ts';
import { startSilentProxy } from '../../../src/main/run/silent-proxy.ts';
import { nowNs } from '../../../src/pool/clock.ts';

/** A cutter whose window has begun: it cuts every 5 ms. */
function startCutter(cut: Cut): ConnectionCutter {
  const cutter = new ConnectionCutter(cut, { everyMs: 5, seed: 1 });
  const startNs = nowNs();
  cutter.schedule(startNs, startNs + 60e9);
  return cutter;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

describe('what is cut is counted, and why no more could be', () => {
  test('a cut that is on its way when the window ends is no failure', async () => {
    let lose = () => {};
    const lost = new Promise<boolean>((_, reject) => {
      lose = () => reject(new Error('the proxy has ended'));
    });
    let asked = false;
    const cutter = startCutter(() => {
      asked = true;
      return lost;
    });
    await until(() => asked);
    cutter.stop();
    lose();
    await lost.catch(() => {});
    await sleep(0);
    expect(cutter).toMatchObject({ cuts: 0, failure: undefined });
  });

  test('the first failure ends the cuts, and those before it count', async () => {
    let times = 0;
    const cutter = startCutter(async () => {
      if (++times > 2) throw new Error('refused');
      return true;
    });
    await until(() => cutter.failure !== undefined);
    await sleep(20);
    expect(cutter).toMatchObject({ cuts: 2, failure: 'refused' });
    expect(times).toBe(3);
  });

  test('a proxy that has ended refuses each later draw', async () => {
    const address = { host: '127.0.0.1', port: 1, database: 0, tls: false };
    const proxy = await startSilentProxy(address);
    expect(await proxy.silence(1)).toBe(false);
    const onItsWay = proxy.silence(1).catch((error: Error) => error.message);
    await proxy.close();
    expect([false, 'the proxy has ended']).toContain(await onItsWay);
    await expect(proxy.silence(1)).rejects.toThrow('the proxy has ended');
    await expect(proxy.silence(1)).rejects.toThrow('the proxy has ended');
  });
});
