import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { RoundResult } from '../../../src/aggregate/result.ts';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { parseConfig } from '../../../src/main/experiment/read-config.ts';
import { expandScenarios } from '../../../src/main/experiment/scenarios.ts';
import { Progress } from '../../../src/main/live/progress.ts';
import { exitCodeOf } from '../../../src/main/run/exit-code.ts';
import type { Bench } from '../../../src/main/run/loads.ts';
import { runMeasurement } from '../../../src/main/run/measurement.ts';
import { baseRoundTripMs } from '../../../src/main/run/server-figures.ts';
import { TargetWatch } from '../../../src/main/run/target-watch.ts';
import { ConnectRefused, type Threads, TurnVoided } from '../../../src/main/run/threads.ts';
import { connectControl } from '../../../src/main/server/control.ts';
import type { Target } from '../../../src/main/server/find-target.ts';
import { claimKeySpace } from '../../../src/main/server/key-space.ts';
import { keyName } from '../../../src/pool/client/batch.ts';
import { nowNs } from '../../../src/pool/clock.ts';
import type { ThreadSample } from '../../../src/workers/contract.ts';
import { SharedState } from '../../../src/workers/shared-state.ts';
import { loopback, patient } from '../../support/connections.ts';
import { createExperiment } from '../../support/experiment.ts';
import { connectObserver } from '../../support/observed-server.ts';
import { startProxy } from '../../support/proxy.ts';
import { buildResult, buildRound, buildScenario } from '../../support/result-builder.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { shareServer } from '../../support/servers.ts';
import { buildTask, runThread } from '../../support/threads.ts';

describe('target that is back is not lost', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** A watch of a target that answers as it is told to. */
  function watchTarget() {
    const target = { answers: true, asked: 0 };
    const control = {
      async alive() {
        target.asked++;
        return target.answers;
      },
    };
    const watch = new TargetWatch({ control } as unknown as Target, { timeoutMs: 5000, say: () => {} });
    return { target, watch };
  }

  test('an outage that is over is over, though nothing fails any more that would tell', async () => {
    const { target, watch } = watchTarget();
    target.answers = false;
    await vi.advanceTimersByTimeAsync(1000);
    watch.suspect();
    await vi.advanceTimersByTimeAsync(2000);
    expect(watch.lost).toBe(false);
    target.answers = true;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(watch.lost).toBe(false);
    expect(target.asked).toBeLessThan(10);
  });

  test('a target that stays silent is lost after twice the time limit, and is then left alone', async () => {
    const { target, watch } = watchTarget();
    target.answers = false;
    await vi.advanceTimersByTimeAsync(1000);
    watch.suspect();
    await vi.advanceTimersByTimeAsync(9000);
    expect(watch.lost).toBe(false);
    await vi.advanceTimersByTimeAsync(2000);
    expect(watch.lost).toBe(true);
    const { asked } = target;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(target.asked).toBe(asked);
    // What was stopped for it is not to pass for whole.
    target.answers = true;
    watch.suspect();
    await vi.advanceTimersByTimeAsync(1000);
    expect(watch.lost).toBe(true);
  });
});

describe('measurement', () => {
  const configured = (workload: object) =>
    parseConfig(
      JSON.stringify({
        name: 'measured',
        target: { server: 'redis', url: 'redis://localhost' },
        ...{ scenarios: [{ client: 'wire' }], workload },
      }),
      'config.json',
    );
  const experiment = configured({});

  /** Measures with threads that do this, on a server that is gone unless `changes` have another. */
  async function measure(
    run: Threads['run'],
    signal: AbortSignal,
    warn: (line: string) => void = () => {},
    changes: Partial<Bench> = {},
  ): Promise<RoundResult | null> {
    const gone = async () => {
      throw new Error('gone');
    };
    const server = { host: '127.0.0.1', port: 6379 };
    const control = { server, nodes: [], findNodes: gone, call: gone, alive: async () => false };
    const detected = { server: 'redis', version: '7.0.15', threads: 1 };
    const target = { control, detected, local: true } as unknown as Target;
    const [scenario] = expandScenarios(experiment.scenarios);
    if (scenario === undefined) throw new Error('no scenario');
    const threads = { run, size: 1 };
    const bench = {
      experiment,
      target,
      threads,
      claim: { prefix: 'p:', token: '', claimed: false },
      warn,
      ...changes,
    };
    return await runMeasurement(bench, scenario, {
      step: {
        ...{ round: 1, rounds: 1, index: 1, total: 1, scenario: scenario.id, threads: scenario.threads },
        ...{ warmupSeconds: 0, seconds: 1 },
      },
      watch: new TargetWatch(target, { timeoutMs: 100, say: () => {} }),
      progress: await Progress.open(undefined),
      signal,
    });
  }

  test('a round counts, though this process had no core from before its window until after it', async () => {
    const server = await shareServer();
    const sample = await runThread(server.port, { seconds: 0.2 });
    const { seconds, warmupSeconds } = experiment;
    const round = await measure(async (_tasks, _shared, onWindow) => {
      onWindow({ startNs: nowNs() - seconds * 1e9, warmupSeconds, grown: true });
      const endNs = nowNs() + 20e6;
      while (nowNs() < endNs);
      return [sample];
    }, new AbortController().signal);
    expect(round).toMatchObject({ round: 1, seconds: 0.2, cpu: { serverCores: null } });
    expect(round?.cpu.clientCores).toBeGreaterThan(0);
    expect(round?.cpu.machineBusyShare ?? 0).toBeGreaterThanOrEqual(0);
  });

  test('a measurement whose threads saw its window too late is tried twice more, then has no figures, and a warning says so', async () => {
    const server = await shareServer();
    const sample = await runThread(server.port, { seconds: 0.2 });
    const late = [{ ...sample, seconds: 0.01 }];
    const outcomeOf = async (goodAttempt: number, others: readonly ThreadSample[] = late) => {
      let attempts = 0;
      const warnings: string[] = [];
      const round = await measure(
        async (_tasks, _shared, onWindow) => {
          attempts++;
          onWindow({ startNs: nowNs(), warmupSeconds: 0, grown: true });
          return attempts === goodAttempt ? [sample] : [...others];
        },
        new AbortController().signal,
        line => warnings.push(line),
        { experiment: { ...experiment, seconds: 0.200000001 } },
      );
      return { seconds: round?.seconds, attempts, warnings };
    };
    expect(await outcomeOf(3)).toEqual({ seconds: 0.2, attempts: 3, warnings: [] });
    // Without one of its threads, it would be a smaller load.
    const withoutOne = [sample, { ...sample, thread: 1, seconds: 0 }];
    expect(await outcomeOf(2, withoutOne)).toEqual({ seconds: 0.2, attempts: 2, warnings: [] });
    const never = await outcomeOf(4);
    expect(never).toMatchObject({ seconds: undefined, attempts: 3 });
    expect(never.warnings).toEqual([expect.stringMatching(/ window of 0\.2 s .*no figures in that round/)]);
  });

  test('records that a voided measurement inserted are removed before it is repeated', async () => {
    const server = await shareServer();
    const redis = await connectObserver(server.url);
    const control = await connectControl(loopback(server.port), patient);
    onTestFinished(() => control.close());
    const keys = 10;
    const claim = await claimKeySpace(control, { seed: 1, before: '', keys: 2 * keys });
    const detected = { server: 'redis', version: '7.0.15', threads: 1 };
    const target = { control, detected, local: true } as unknown as Target;
    const before = keyName(claim.prefix, keys - 1);
    const inserted = keyName(claim.prefix, keys + 3);
    const found: number[] = [];
    const measuring = measure(
      async () => {
        if (found.push(await redis.exists(before, inserted)) > 1) throw new TypeError('that is enough');
        await redis.mset(before, 'x', inserted, 'x');
        throw new TurnVoided('START_MISSED', 'a start was missed');
      },
      new AbortController().signal,
      undefined,
      { experiment: configured({ keys, ycsb: 'D' }), target, claim },
    );
    await expect(measuring).rejects.toThrow('that is enough');
    expect(found).toEqual([0, 1]);
    expect(await redis.exists(before)).toBe(1);
  });

  test('a stopped measurement ends with a defect, but without a word where its connections were refused', async () => {
    const measureStopped = (failure: Error) => measure(() => Promise.reject(failure), AbortSignal.abort());
    const defect = new TypeError('undefined is not a function');
    await expect(measureStopped(defect)).rejects.toBe(defect);
    expect(await measureStopped(new ConnectRefused('ECONNREFUSED'))).toBeNull();
  });

  test('a run fails if a population has lost more than a run may lose, though its scenario has not', () => {
    const exitCode = (failed: number, maxFailedShare = experiment.maxFailedShare) => {
      const round = buildRound(1, 1000);
      const bulk = {
        ...round,
        name: 'bulk',
        issued: 1000,
        completed: 1000 - failed,
        failed: { OOM: failed },
      };
      const result = buildResult([buildScenario({}, [{ ...round, populations: [bulk] }])]);
      const side = { name: 'one', experiment: { ...experiment, maxFailedShare }, scenarios: [] };
      return exitCodeOf({ results: [result], error: undefined }, [side], { interrupted: false });
    };
    expect(exitCode(10)).toBe(0);
    expect(exitCode(20, 0.02)).toBe(0);
    expect(() => exitCode(20)).toThrow(
      expect.objectContaining({
        code: 'TOO_MANY_FAILURES',
        message: expect.stringMatching(/population bulk/),
      }),
    );
  });

  test('a stopped run ends with a defect, but with 130 where its target was lost', () => {
    const defect = new TypeError('undefined is not a function');
    expect(() => exitCodeOf({ results: [], error: defect }, [], { interrupted: true })).toThrow(defect);
    const lost = new PoolbenchError('TARGET_LOST', 'it is gone');
    expect(exitCodeOf({ results: [], error: lost }, [], { interrupted: true })).toBe(130);
  });
});

describe('thread that hangs is given up', () => {
  const compiled = (path: string) => JSON.stringify(new URL(`../../../dist/${path}`, import.meta.url).href);

  /** Runs two threads of which one does what a fault says, and prints what they end with. */
  async function runFaulty(fault: string, body: string): Promise<string> {
    const server = await shareServer();
    const { folder } = await createExperiment(server.url);
    const file = join(folder, 'fault-now');
    await writeFile(file, '');
    const tasks = [0, 1].map(thread =>
      buildTask(server.port, SharedState.forThreads(2), { seconds: 60 }, thread),
    );
    const script = `
    import { setTimeout as sleep } from 'node:timers/promises';
    import { ThreadEnded, ThreadHung, Threads } from ${compiled('main/run/threads.js')};
    import { SharedState } from ${compiled('workers/shared-state.js')};
    const left = new Promise(resolve => process.on('worker', worker => worker.once('exit', resolve)));
    const shared = SharedState.forThreads(2);
    const tasks = JSON.parse(process.env.TASKS).map(task => ({ ...task, shared: shared.buffer }));
    const threads = new Threads(2, { secondsWithoutHeartbeat: 2 });
    ${body}
    await threads.close();
    console.log('closed');
  `;
    const faulty = new URL('../../support/faults/faulty-thread.mjs', import.meta.url).href;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      {
        // Where it is not given up, it must not outlive the test.
        timeout: 20_000,
        killSignal: 'SIGKILL',
        env: {
          ...process.env,
          TASKS: JSON.stringify(tasks),
          FAULTY_THREAD_DOES: fault,
          FAULTY_THREAD_FILE: file,
          NODE_OPTIONS: `--import ${faulty}`,
        },
      },
    );
    return stdout;
  }

  test('a thread that never comes back from a loop is ended, and so is the run', async () => {
    const stdout = await runFaulty(
      'hang',
      'await threads.run(tasks, shared, () => {}).catch(error => console.log(error instanceof ThreadHung, error.message));',
    );
    expect(stdout).toMatch(/^true thread [12] has not responded for 2 s\nclosed\n$/);
  });

  test('a thread that ended between two measurements fails the run, because another in its place would be cold', async () => {
    const stdout = await runFaulty(
      'leave',
      `
      // Idle threads keep no process alive.
      const alive = setInterval(() => {}, 1000);
      await left;
      clearInterval(alive);
      await sleep(0);
      await threads.run(tasks, shared, () => {}).catch(error => console.log(error instanceof ThreadEnded, error.message));`,
    );
    expect(stdout).toMatch(/^true thread [12] ended between two measurements\nclosed\n$/);
  });
});

describe('limit by round trips is measured on an idle connection', () => {
  async function controlOf(port: number, timeoutMs = 5000) {
    const control = await connectControl(loopback(port), { timeoutMs });
    onTestFinished(() => control.close());
    return control;
  }

  /** Answers PINGs after the first, which belongs to the login, as `answer` says; counts them. */
  async function startPonger(answer: (ping: number, reply: (bytes: string) => void) => void) {
    const seen = { pings: -1 };
    const { port } = await startScriptedServer(([command], reply) => {
      if (command?.toUpperCase() !== 'PING') reply('+OK\r\n');
      else if (++seen.pings === 0) reply('+PONG\r\n');
      else answer(seen.pings, reply);
    });
    return { port, seen };
  }

  test('it is the delay of the way to the server and back', async () => {
    const server = await shareServer();
    const proxy = await startProxy(server.port);
    const control = await controlOf(proxy.port);
    proxy.delayMs = 30;
    const measured: (number | null)[] = [];
    const measure = async () => {
      measured.push(await baseRoundTripMs(control));
      return measured.at(-1);
    };
    // On a busy machine most of them may be late.
    await expect.poll(measure).toBeLessThan(500);
    // None was too fast: the poll would have passed over one.
    expect(measured.filter(ms => ms !== null && ms < 29)).toEqual([]);
  });

  test('a few that are late do not decide, and twenty are enough', async () => {
    const { port, seen } = await startPonger((ping, reply) => {
      if (ping === 2) setTimeout(() => reply('+PONG\r\n'), 60);
      else reply('+PONG\r\n');
    });
    // On a busy machine most of them may be late.
    const measure = async () => {
      seen.pings = -1;
      return baseRoundTripMs(await controlOf(port));
    };
    await expect.poll(measure).toBeLessThan(30);
    expect(seen.pings).toBeLessThanOrEqual(20);
  });

  test('a server that takes longer than a tenth of a second is asked once', async () => {
    const { port, seen } = await startPonger((_, reply) => setTimeout(() => reply('+PONG\r\n'), 120));
    expect(await baseRoundTripMs(await controlOf(port))).toBeGreaterThanOrEqual(119);
    expect(seen.pings).toBe(1);
  });

  test('a PING that is refused has made the trip', async () => {
    const { port } = await startPonger((_, reply) => reply('-NOPERM no\r\n'));
    expect(await baseRoundTripMs(await controlOf(port))).toBeGreaterThan(0);
  });

  test('null when none is answered', async () => {
    const { port } = await startPonger(() => {});
    expect(await baseRoundTripMs(await controlOf(port, 2000))).toBeNull();
  });
});
