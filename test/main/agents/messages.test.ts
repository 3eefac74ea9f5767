import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import {
  type AgentTask,
  type CoordinatorMessage,
  maxMessageCharacters,
  readAgentMessage,
  readBackJob,
  readCoordinatorMessage,
  readSeatJob,
} from '../../../src/main/agents/messages.ts';
import { packOutcome, unpackOutcome } from '../../../src/main/agents/outcome.ts';
import { expectWithinLimits, Refusal, readTargets, withLogin } from '../../../src/main/agents/rules.ts';
import { whyNoRing } from '../../../src/pool/client/ring-socket.ts';
import { SharedState } from '../../../src/workers/shared-state.ts';
import { buildTask } from '../../support/threads.ts';

const { shared: _, address: __, workload, ...plain } = buildTask(6379, SharedState.forThreads(1));
const task: AgentTask = { ...plain, keyPrefix: 'poolbench:1:' };
const subject = { address: { host: '127.0.0.1', port: 6379, tls: false, database: 0 } };

function prepared(changes: object = {}, of: object = {}): string {
  const message = {
    ...{ kind: 'prepare', turn: 1, pool: 1, threads: 1, subject, workload, placement: [0] },
    tasks: [{ ...task, ...changes }],
    ...of,
  };
  return JSON.stringify(message);
}

test('what a coordinator says is read as it was said', () => {
  expect(readCoordinatorMessage(prepared()).message).toEqual(JSON.parse(prepared()));
  const messages: CoordinatorMessage[] = [
    { kind: 'heartbeat' },
    { kind: 'meet', subject },
    { kind: 'go', turn: 3, at: 1.7e15 },
    { kind: 'end' },
  ];
  for (const message of messages)
    expect(readCoordinatorMessage(JSON.stringify(message)).message).toEqual(message);
  expect(readAgentMessage('{"kind":"here","seat":0,"turn":1,"phase":"ready"}').message).toBeDefined();
});

test('stages are read as short as the warm-up of the threads makes them, with a mean rate below that of a config', () => {
  const stages = [
    { seconds: 0.002, rate: 0, rampTo: 5 },
    { seconds: 0.05, rate: 0, rampTo: null },
  ];
  const openLoop = { arrivals: { kind: 'constant', rate: 0.09, size: 1, stages }, pools: 1, firstPool: 0 };
  const message = prepared({ openLoop });
  expect(readCoordinatorMessage(message).message).toEqual(JSON.parse(message));
  const endless = { ...openLoop.arrivals, stages: [{ seconds: 86_400, rate: 1, rampTo: null }] };
  expect(readCoordinatorMessage(prepared({ openLoop: { ...openLoop, arrivals: endless } })).fault).toMatch(
    /stages\[0\]\.seconds: expected .* at most 3600 s, found 86400/,
  );
});

const huge = Array.from({ length: 64 }, () => ({ weight: 1, value: { bytes: 2 ** 24 } }));

test.each([
  ['text that is not JSON', '{"kind":"go",'],
  ['NaN', '{"kind":"go","turn":1,"at":NaN}'],
  ['a number that is too large', '{"kind":"go","turn":1,"at":1e999}'],
  ['nothing', ''],
  ['null', 'null'],
  ['another kind', '{"kind":"eval","code":"process.exit()"}'],
  ['a key that is not of the message', '{"kind":"heartbeat","code":"x"}'],
  ["somebody else's keys", prepared({ keyPrefix: 'session:' })],
  ['no prefix', prepared({ keyPrefix: '' })],
  ['a prefix that only contains ours', prepared({ keyPrefix: 'poolbench:1:session:' })],
  ['1 GB of values', prepared({}, { workload: { ...workload, values: huge } })],
  [
    'a value beyond the limit',
    prepared({}, { workload: { ...workload, values: [{ weight: 1, value: { bytes: 2 ** 30 } }] } }),
  ],
  [
    'a command that empties the server',
    prepared({}, { workload: { ...workload, commands: [{ command: 'FLUSHALL', weight: 1 }] } }),
  ],
  [
    'a key by name',
    prepared({}, { workload: { ...workload, commands: [{ command: 'DEL users', weight: 1 }] } }),
  ],
  ['a client of its own', prepared({ client: '/tmp/client.js' })],
  ['a day of load', prepared({ seconds: 86_400 })],
  ['a password', prepared({}, { subject: { address: { ...subject.address, password: 'x' } } })],
  [
    'certificates that are not checked',
    prepared({}, { subject: { address: { ...subject.address, trust: { rejectUnauthorized: false } } } }),
  ],
  ['a unix socket', prepared({}, { subject: { address: { ...subject.address, path: '/run/redis.sock' } } })],
  ['a character too much', ' '.repeat(maxMessageCharacters + 1)],
  ['a structure too deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
])('%s is no message', (_, text) => {
  expect(readCoordinatorMessage(text).message).toBeUndefined();
});

test('what is no message has a reason: where, what was expected, and what was found', () => {
  const faultOf = (json: string) => readCoordinatorMessage(json).fault;
  expect(faultOf(prepared({ seconds: 86_400 }))).toBe(
    'tasks[0].seconds: expected a number of seconds from 0.05 to 3600, found 86400',
  );
  expect(faultOf(prepared({}, { threads: 300 }))).toBe(
    'threads: expected a whole number from 1 to 256, found 300',
  );
  const values = [{ weight: 1, value: { bytes: 2 ** 30 } }];
  expect(faultOf(prepared({}, { workload: { ...workload, values } }))).toBe(
    'workload.values[0].value.bytes: expected a whole number from 0 to 16777216, found 1073741824',
  );
  expect(faultOf(prepared({}, { workload: { ...workload, values: huge } }))).toBe(
    'workload.values: expected values of at most 134217728 bytes together, found 1073741824',
  );
  const commands = [{ command: 'FLUSHALL', weight: 1 }];
  expect(faultOf(prepared({}, { workload: { ...workload, commands } }))).toMatch(
    /^workload\.commands\[0\]\.command: expected .*, found "FLUSHALL"$/,
  );
  expect(faultOf('{"kind":"eval"}')).toBe('kind: expected a message of a coordinator, found "eval"');
  expect(faultOf('{"kind":"heartbeat","code":"x"}')).toMatch(/unknown key "code"/);
  expect(
    faultOf(prepared({}, { subject: { address: { ...subject.address, password: 'secret' } } })),
  ).not.toMatch(/secret/);
});

test('jobs of somebody else are none', () => {
  expect(readSeatJob({ run: 'x', seat: 0, seats: 1, name: '' }).fault).toMatch(/^run: expected/);
  expect(readBackJob({ seat: -1, turn: 0, packed: '' }).fault).toMatch(/^seat: expected/);
  expect(unpackOutcome('no base64 of gzip').fault).toMatch(/gzip/);
  expect(unpackOutcome(gzipSync('{"kind":"done"}').toString('base64')).fault).toMatch(/^samples: missing/);
  const failed = { kind: 'failed', why: 'connect', message: 'ECONNREFUSED' } as const;
  expect(unpackOutcome(packOutcome(failed)).message).toEqual(failed);
});

const rules = {
  targets: readTargets('127.0.0.1:6379, Cache.internal:6380'),
  maxThreads: 2,
  secrets: { password: 'secret', trust: {}, sentinel: {} },
};

test('only targets that were named are loaded, with the login of the agent', () => {
  expect(withLogin(subject, rules).address).toMatchObject({ host: '127.0.0.1', password: 'secret' });
  const elsewhere = { host: '10.0.0.1', port: 6379 };
  for (const address of [
    { ...subject.address, ...elsewhere },
    { ...subject.address, port: 6380 },
    { ...subject.address, sentinel: { master: 'm', others: [elsewhere] } },
    { ...subject.address, natMap: { 'a:1': elsewhere } },
  ])
    expect(() => withLogin({ address }, rules)).toThrow(Refusal);
  const nodes = [subject.address, { ...subject.address, ...elsewhere }];
  expect(() => withLogin({ ...subject, cluster: nodes }, rules)).toThrow(Refusal);
  expect(() =>
    withLogin({ address: { ...subject.address, host: 'cache.INTERNAL', port: 6380 } }, rules),
  ).not.toThrow();
  for (const typed of ['', 'host', 'redis://h:1', 'h:0', 'h:1,'])
    expect(() => readTargets(typed), typed).toThrow(/allow-target/);
});

test('a turn that is larger than the agent allows is refused', () => {
  const of = (changes: object, other: object = {}) =>
    readCoordinatorMessage(prepared(changes, other)).message as Extract<
      CoordinatorMessage,
      { kind: 'prepare' }
    >;
  expect(() => expectWithinLimits(of({}), rules)).not.toThrow();
  expect(() => expectWithinLimits(of({}, { threads: 3 }), rules)).toThrow(/--threads 3/);
  expect(() => expectWithinLimits(of({}, { placement: [1] }), rules)).toThrow(Refusal);
  const many = { groups: [{ workers: 100_000, pipeline: 10_000 }] };
  expect(() => expectWithinLimits(of({ pools: [{ ...task.pools[0], ...many }] }), rules)).toThrow(/bytes/);
  const wide = { ...task.pools[0], connections: 100_000 };
  expect(() => expectWithinLimits(of({ pools: Array(20).fill(wide) }), rules)).toThrow(/files/);
  const overRing = () => expectWithinLimits(of({ transport: 'io_uring' }), rules);
  if (whyNoRing() === undefined) expect(overRing).not.toThrow();
  else expect(overRing).toThrow(/io_uring/);
});
