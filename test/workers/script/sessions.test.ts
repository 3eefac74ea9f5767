import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Control, connectControl } from '../../../src/main/server/control.ts';
import { commandCalls } from '../../../src/main/server/server-info.ts';
import { nowNs } from '../../../src/pool/clock.ts';
import type { ScriptSample, WorkloadTask } from '../../../src/workers/contract.ts';
import { SharedState } from '../../../src/workers/shared-state.ts';
import { loopback, patient, until } from '../../support/connections.ts';
import { decodeHistogram } from '../../support/decode-histogram.ts';
import { scriptWorkload } from '../../support/scripts.ts';
import { shareServer, type TestServer } from '../../support/servers.ts';
import {
  accounted,
  buildTask,
  type PlainSample,
  runOne,
  startThreads,
  stopAfter,
  stopWhen,
  type TaskOptions,
} from '../../support/threads.ts';

const clients = ['ioredis', 'iovalkey', 'node-redis'] as const;

let server: TestServer;
let control: Control;

beforeAll(async () => {
  server = await shareServer();
  control = await connectControl(loopback(server.port), patient);
});

afterAll(() => control?.close());

beforeEach(async () => {
  await control.call('FLUSHALL');
});

/** Enough for everything that a script does by chance. */
const usualSessions = 100;
/** For a pool that does not warm: on a busy machine the first connections may take longer than a short time limit. */
const unwarmed = { minIdle: 0 };
/** The second session of a worker is given up, too, on a connection that was replaced. */
const givenUpTwice = {
  ...{ timeoutMs: 300, pools: [{ workers: 1, ...unwarmed }] },
  isEnough: (shared: SharedState) => (shared.failures(0).TIMEOUT ?? 0) >= 2,
};

/**
 * Runs sessions of a script in this thread: connections of ioredis, 4 workers, and as many sessions as are enough, unless
 * told otherwise.
 */
async function runSessions(
  body: string,
  {
    workload,
    sessions = usualSessions,
    isEnough,
    ...options
  }: Omit<TaskOptions, 'workload' | 'seconds'> & {
    readonly workload?: Partial<WorkloadTask>;
    /** Ends with so many of them, unless something else is enough. */
    readonly sessions?: number;
    readonly isEnough?: (shared: SharedState) => boolean;
  } = {},
): Promise<PlainSample & { readonly script: ScriptSample }> {
  const task = {
    client: 'ioredis' as const,
    ...options,
    workload: await scriptWorkload(body, workload),
  };
  const stop = isEnough === undefined ? stopAfter(sessions) : stopWhen(isEnough);
  const sample = await runOne(server.port, { ...task, seconds: 30 }, stop);
  if (sample.script === undefined) throw new Error('expected a sample of a script');
  expect(accounted(sample)).toBe(sample.issued);
  return { ...sample, script: sample.script };
}

async function calls(...names: string[]): Promise<number> {
  return commandCalls(await control.info('commandstats'), names) ?? 0;
}

/** Without those of connection attempts: on a busy machine, one can exceed a short time limit, and then fewer are made. */
function codesOf(failed: PlainSample['failed']): string[] {
  return Object.keys(failed).filter(code => !['ETIMEDOUT', 'CIRCUIT_OPEN'].includes(code));
}

/** In milliseconds. */
function percentile(encoded: string, percent: number): number {
  const histogram = decodeHistogram(encoded);
  const ns = histogram.getValueAtPercentile(percent);
  histogram.destroy();
  return ns / 1e6;
}

describe.each(clients)('sessions with %s', client => {
  const only = { client } as const;

  test('are the operations, and the commands in them are those that the server counts', async () => {
    const before = await calls('get', 'set');
    const { issued, completed, failed, script } = await runSessions(
      `const mine = key();
      await step('write', () => client.set(mine, value()));
      await step('read', () => client.get(mine));`,
      { ...only, warmupSeconds: 0.05 },
    );
    expect(completed).toBeGreaterThan(0);
    expect(issued - completed).toBeLessThanOrEqual(4);
    expect(failed).toEqual({});
    expect(script.messages).toEqual({});
    const sent = (script.sent.get ?? 0) + (script.sent.set ?? 0);
    expect(sent).toBe((await calls('get', 'set')) - before);
    expect(script.commands).toBe(2 * completed);
    expect(script.steps).toMatchObject([
      { name: 'write', completed, failed: 0 },
      { name: 'read', completed, failed: 0 },
    ]);
    const keys = (await control.call('KEYS', '*')) as string[];
    for (const key of keys) expect(key).toMatch(/^test:000000\d\d$/);
  });

  test.each([
    ['a single command', `await client.set('other', 1)`],
    [
      'a pipeline',
      `const many = client.PIPELINE(); many.set(key(), 1); many.set('other', 1); await many.EXECUTE()`,
    ],
    [
      'a transaction',
      `const many = client.multi(); many.set(key(), 1); many.set('other', 1); await many.exec()`,
    ],
    ['an error that is caught', `await client.set('other', 1).catch(() => {})`],
  ])('fail if %s has a key that is not the run’s own, which is not sent', async (_, given) => {
    const body = given
      .replace('client.PIPELINE()', client === 'node-redis' ? 'client.multi()' : 'client.pipeline()')
      .replace('many.EXECUTE()', client === 'node-redis' ? 'many.execAsPipeline()' : 'many.exec()');
    const { completed, failed, script } = await runSessions(`${body};`, only);
    expect(completed).toBe(0);
    expect(Object.keys(failed)).toEqual(['FOREIGN_KEY']);
    expect(script.messages).toEqual({ FOREIGN_KEY: expect.stringContaining('"other"') });
    expect(await control.call('EXISTS', 'other')).toBe(0);
  });

  test('fail under the code of the server’s error', async () => {
    const { failed, script } = await runSessions(
      client === 'node-redis'
        ? 'await client.set(key(0), 1); await client.lPush(key(0), "a");'
        : 'await client.set(key(0), 1); await client.lpush(key(0), "a");',
      only,
    );
    expect(Object.keys(failed)).toEqual(['WRONGTYPE']);
    expect(script.messages.WRONGTYPE).toContain('WRONGTYPE');
  });

  test('fail with TIMEOUT if a command is not answered in time, and their connection is replaced', async () => {
    const pop = client === 'node-redis' ? 'client.blPop(key(), 0)' : 'client.blpop(key(), 0)';
    const { completed, failed, pools } = await runSessions(`await ${pop};`, {
      ...only,
      ...givenUpTwice,
    });
    expect(completed).toBe(0);
    expect(codesOf(failed)).toEqual(['TIMEOUT']);
    expect(pools[0]?.reconnects).toBeGreaterThan(0);
  });

  test('are due by a schedule in an open loop', async () => {
    const { openLoop, completed, failed, issued, seconds } = await runSessions('await client.get(key());', {
      ...only,
      sessions: 20,
      openLoop: { arrivals: { kind: 'constant', rate: 200, size: 1 }, pools: 1, firstPool: 0 },
    });
    const offered = Math.ceil(seconds * 200);
    expect(openLoop).toMatchObject({ offered, unsent: offered - issued });
    expect(completed).toBeGreaterThan(0);
    expect(failed).toEqual({});
  });
});

describe('thought', () => {
  test('is part of no latency, of the session or of a step, and keeps no session from its command', async () => {
    const { completed, failed, script, service, response, seconds } = await runSessions(
      `await step('whole', async () => {
        await client.get(key());
        await Promise.all([think(40), think(30)]);
        await client.get(key());
      });`,
      { sessions: 40 },
    );
    expect(failed).toEqual({});
    expect(completed).toBeGreaterThan(0);
    // Each of the four workers has a session every 40 ms at most.
    expect(completed).toBeLessThanOrEqual(4 * Math.ceil(seconds / 0.04));
    const latency = script.steps[0]?.latency ?? '';
    // It would be in all of them, so also in the shortest.
    for (const encoded of [service, response, latency]) expect(percentile(encoded, 0)).toBeLessThan(30);
  });

  test('may last longer than the time limit of a command', async () => {
    const { completed, failed } = await runSessions('await client.get(key()); await think(3000);', {
      timeoutMs: 2000,
      sessions: 1,
    });
    expect(failed).toEqual({});
    expect(completed).toBeGreaterThan(0);
  });
});

describe('failures', () => {
  test('of a script are counted under SCRIPT or the code that they have, with their first message', async () => {
    const { completed, failed, script } = await runSessions(
      `await client.get(key());
      const draw = random();
      if (draw < 0.3) throw new Error('the cart is empty');
      if (draw < 0.6) throw Object.assign(new Error('no job'), { code: 'NO_JOB' });
      if (draw < 0.8) throw 'text';`,
    );
    expect(completed).toBeGreaterThan(0);
    expect(Object.keys(failed).sort()).toEqual(['NO_JOB', 'SCRIPT']);
    expect(script.messages.NO_JOB).toBe('no job (script.mjs:5)');
    expect(['the cart is empty (script.mjs:4)', 'text']).toContain(script.messages.SCRIPT);
  });

  test('of a step are counted with it, and fail their session unless it goes on', async () => {
    const { completed, failed, script } = await runSessions(
      `await step('ends', () => { throw new Error('no') }).catch(() => {});
      await client.get(key());`,
    );
    expect(failed).toEqual({});
    expect(script.steps).toMatchObject([{ name: 'ends', completed: 0, failed: completed }]);
  });

  test('steps that a script does not wait for are counted, and only those', async () => {
    const { completed, script } = await runSessions(
      `step('forgotten', () => client.get(key()));
      await step('awaited', () => client.get(key()));
      await Promise.all([step('both', () => client.get(key())), step('both', () => client.get(key()))]);
      step('last', () => client.get(key()));`,
    );
    expect(completed).toBeGreaterThan(0);
    expect(Object.keys(script.unawaited)).toEqual(['last']);
    expect(script.unawaited.last).toBeGreaterThanOrEqual(completed);
  });

  test('a script that waits for none of its steps leaves the event loop its turns', async () => {
    const { completed, script } = await runSessions(`step('only', () => client.get(key()));`);
    expect(completed).toBeGreaterThan(0);
    expect(script.unawaited.only).toBeGreaterThanOrEqual(completed);
  });

  test('of what scripts of one thread do not wait for belong to no session, end nothing, and are reported for the script that caused them', async () => {
    const failures = [
      `Promise.reject(new Error('a promise'));`,
      `setTimeout(() => { throw new Error('a timer'); });`,
      `setTimeout(() => { throw new Error('another timer'); });`,
      `client.get(key(), () => { throw new Error('a callback'); });`,
    ];
    // In a thread of its own: such a failure here would be one of the test's.
    const shared = SharedState.forThreads(failures.length);
    const run = startThreads(1, { tasksInOne: failures.length });
    const running = failures.map(async (failing, thread) => {
      const workload = await scriptWorkload(`await client.get(key());\n${failing}`);
      return run(buildTask(server.port, shared, { client: 'ioredis', workload, seconds: 30 }, thread));
    });
    await until(() => shared.ready === failures.length);
    const startNs = nowNs() + 5e6;
    shared.openWindow(startNs);
    shared.release(startNs);
    await until(() => failures.every((_, thread) => shared.progress(thread).completed > 20));
    shared.stop(nowNs());
    const samples = await Promise.all(running);
    for (const { completed, failed } of samples) {
      expect(completed).toBeGreaterThan(0);
      expect(failed).toEqual({});
    }
    expect(samples.map(({ script }) => script?.messages)).toEqual(
      ['a promise', 'a timer', 'another timer', 'a callback'].map(message => ({
        UNHANDLED: `${message} (script.mjs:3)`,
      })),
    );
  });

  test.each([
    ['FLUSHALL', 'await client.flushall()'],
    ['CONFIG', `await client.config('SET', 'maxmemory', '1')`],
    ['SUBSCRIBE', `await client.subscribe('news')`],
    ['SORT', `await client.sort(key(), 'BY', 'other*')`],
    ['SELECT', 'await client.select(1)'],
    ['SCRIPT', `await client.script('FLUSH')`],
  ])('of %s, which is never sent, have a code of their own', async (name, body) => {
    const { completed, failed, script } = await runSessions(`${body};`);
    expect(completed).toBe(0);
    expect(Object.keys(failed)).toEqual(['COMMAND_REFUSED']);
    expect(script.messages.COMMAND_REFUSED).toContain(name);
  });

  test('keep a session from its keys where their number says so', async () => {
    const { failed } = await runSessions(
      `await client.eval("return redis.call('SET', KEYS[1], 1)", 2, key(), 'other');`,
    );
    expect(Object.keys(failed)).toEqual(['FOREIGN_KEY']);
    const beyond = await runSessions('await client.get(key(100));');
    expect(Object.keys(beyond.failed)).toEqual(['FOREIGN_KEY']);
  });

  test('of a script that never ends are those of its connection', async () => {
    const body = 'await client.get(key()); await new Promise(() => {});';
    const { failed, completed } = await runSessions(body, givenUpTwice);
    expect(completed).toBe(0);
    expect(codesOf(failed)).toEqual(['TIMEOUT']);
  });

  test('of a lost connection are counted under its code', async () => {
    const body = 'await client.get(key()); await think(5); await client.get(key());';
    const { failed, completed } = await runSessions(body, {
      isEnough(shared) {
        const { completed, failed } = shared.progress(0);
        // Again, until a session was under way at that moment.
        if (completed > 0) void control.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
        return failed > 0;
      },
    });
    expect(completed).toBeGreaterThan(0);
    expect(Object.keys(failed).length).toBeGreaterThan(0);
    for (const code of Object.keys(failed)) expect(code).toMatch(/^(CONNECTION_CLOSED|ECONNRESET|EPIPE)$/);
  });

  test('come of a thirty-third name of a step', async () => {
    const body = `for (let i = 0; i < 33; i++) await step('step-' + i, () => client.get(key()));`;
    const { failed, script } = await runSessions(body, { sessions: 8 });
    expect(Object.keys(failed)).toEqual(['TOO_MANY_STEPS']);
    expect(script.steps).toHaveLength(32);
  });
});

describe('accounting', () => {
  test('leaves out what the server counts otherwise: in transactions and in its own scripts', async () => {
    const before = await calls('multi', 'exec', 'get');
    const transactions = await runSessions(
      'await client.get(key()); await client.multi().set(key(), 1).exec();',
    );
    const { get, multi, exec, set } = transactions.script.sent;
    expect(set).toBe(null);
    expect((get ?? 0) + (multi ?? 0) + (exec ?? 0)).toBe((await calls('multi', 'exec', 'get')) - before);
    const scripts = await runSessions(
      `await client.get(key()); await client.eval("return redis.call('GET', KEYS[1])", 1, key());`,
    );
    expect(scripts.script.sent).toEqual({ get: null, eval: scripts.script.commands / 2 });
  });

  test('ends sessions that send nothing without holding up the thread', async () => {
    const { completed, failed, script } = await runSessions('', { warmupSeconds: 0.05 });
    expect(completed).toBeGreaterThan(0);
    expect(failed).toEqual({});
    expect(script.commands).toBe(0);
  });

  test('knows a stopped session as unfinished', async () => {
    const before = await calls('get');
    let asked = false;
    void until(async () => (await calls('get')) - before >= 4).then(() => {
      asked = true;
    });
    const { completed, unfinished } = await runSessions('await client.get(key()); await think(60_000);', {
      // It also limits the wait at the end of the load.
      timeoutMs: 1000,
      pools: [unwarmed],
      isEnough: () => asked,
    });
    expect({ completed, unfinished }).toEqual({ completed: 0, unfinished: 4 });
  });
});

describe('a session draws', () => {
  const body = `await client.rpush('test:00000000', String(random()), key(), value());`;
  const drawn = async (options: Parameters<typeof runSessions>[1]) => {
    await control.call('FLUSHALL');
    await runSessions(body, { pools: [{ workers: 1 }], ...options });
    return (await control.call('LRANGE', 'test:00000000', '0', '8')) as string[];
  };

  test('the same numbers, keys and values from the same seed', async () => {
    const [first, again, other] = [await drawn({}), await drawn({}), await drawn({ seed: 2 })];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(Number(first[0])).toBeLessThan(1);
    expect(first[2]).toHaveLength(16);
  });

  test('keys of its worker alone, if they are partitioned', async () => {
    await runSessions('await client.sadd(key(), "a");', {
      pools: [{ workers: 2, keys: 2 }],
      workload: { keyChoice: { kind: 'partitioned' } },
    });
    expect(((await control.call('KEYS', '*')) as string[]).sort()).toEqual([
      'test:00000000',
      'test:00000001',
    ]);
  });
});
