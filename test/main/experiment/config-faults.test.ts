import { describe, expect, test } from 'vitest';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { checkConfig, parseConfig } from '../../../src/main/experiment/read-config.ts';
import { faultsIn, outlineOf } from '../../support/config-faults.ts';

describe('a fault of a config has its path, what was expected and what was found', () => {
  const good = {
    name: 'good',
    target: { server: 'redis', url: 'redis://localhost:6379/0' },
    scenarios: [{ workers: [10] }],
  };

  function faultsOf(config: unknown): string[] {
    try {
      parseConfig(JSON.stringify(config), 'bad.json');
    } catch (error) {
      if (!(error instanceof PoolbenchError)) throw error;
      expect(error.code).toBe('CONFIG_INVALID');
      expect(error.exitCode).toBe(2);
      const lines = error.message.split('\n');
      const faults = faultsIn(error.message);
      expect(lines[0]).toMatch(new RegExp(`^bad\\.json .* ${faults.length} faults?:$`));
      for (const line of lines.slice(1, -1)) expect(line).toMatch(/^ {2}bad\.json:1:\d+: /);
      expect(lines.at(-1)).toContain('configs/README.md');
      return faults;
    }
    return [];
  }

  test('the config that the others are made from has no fault', () => {
    expect(faultsOf(good)).toEqual([]);
  });

  const group = (keys: object) => ({ ...good, scenarios: [{ workers: [10], ...keys }] });

  test.each([
    [
      'a spread of less than half a key',
      { ...good, workload: { keys: 100, keyChoice: { kind: 'gaussian', spread: 0.0001 } } },
      'workload.keyChoice.spread 0.005 100 found 0.0001',
    ],
    [
      'a type of keys that no command uses',
      { ...good, workload: { types: { sortedSets: { keys: 5 } } } },
      'workload.types.sortedSets found an object',
    ],
    [
      'a choice in which each worker has keys of its own, for one type',
      { ...good, workload: { types: { strings: { keyChoice: { kind: 'partitioned' } } } } },
      'workload.types.strings.keyChoice.kind "uniform" "zipfian" "gaussian" "hotSet" found "partitioned"',
    ],
    [
      'a spread of less than half a key of one type',
      {
        ...good,
        workload: { types: { strings: { keys: 10, keyChoice: { kind: 'gaussian', spread: 0.01 } } } },
      },
      'workload.types.strings.keyChoice.spread 0.05 10 found 0.01',
    ],
    [
      'a spread that is large enough for all keys, but not for those of one type',
      {
        ...good,
        workload: { keyChoice: { kind: 'gaussian', spread: 0.01 }, types: { strings: { keys: 10 } } },
      },
      'workload.keyChoice.spread 0.05 10 found 0.01',
    ],
    [
      'silent cuts of a cluster',
      { ...group({ cut: 'silent', cutEveryMs: 50 }), target: { ...good.target, cluster: true } },
      'scenarios[0].cut "close" found "silent"',
    ],
    [
      'silent cuts of what Sentinels name',
      { ...group({ cut: 'silent', cutEveryMs: 50 }), target: { ...good.target, sentinel: { master: 'm' } } },
      'scenarios[0].cut "close" found "silent"',
    ],
    [
      'reads from replicas of a single server',
      group({ readFrom: ['primary', 'replica'] }),
      'scenarios[0].readFrom[1] "primary" found "replica"',
    ],
    [
      'reads from replicas with another client',
      {
        ...group({ readFrom: 'any', client: ['wire', 'node-redis'] }),
        target: { ...good.target, sentinel: { master: 'm' } },
      },
      'scenarios[0].readFrom "primary" "node-redis" found "any"',
    ],
    [
      'reads from replicas with auto-pipelining in a cluster',
      { ...group({ readFrom: 'any', autoPipelining: true }), target: { ...good.target, cluster: true } },
      'scenarios[0].readFrom "primary" found "any"',
    ],
    ...[
      'MULTI; GET {key:a}; EXEC',
      'BLPOP {key} 1',
      // Both can write.
      'SET {key} {value}',
      'PFCOUNT {key}',
    ].map((command): [string, object, string] => [
      `reads from replicas with nothing but ${command}`,
      {
        ...group({ readFrom: 'replica' }),
        target: { ...good.target, sentinel: { master: 'm' } },
        workload: { commands: [{ command }] },
      },
      `scenarios[0].readFrom "primary" ${/^(M|B)/.test(command) ? '' : '"GET {key}" '}found "replica"`,
    ]),
    [
      'subscribers to whom nothing is published',
      { ...good, workload: { subscribers: 5, commands: [{ command: 'MULTI; PUBLISH {key} x; EXEC' }] } },
      'workload.subscribers 0 found 5',
    ],
    [
      'fewer subscribers than pools',
      { ...group({ pools: 4 }), workload: { subscribers: 3, commands: [{ command: 'PUBLISH {key} x' }] } },
      'workload.subscribers 4 found 3',
    ],
    [
      'a script on the wire',
      { ...group({ client: ['ioredis', 'wire'] }), workload: { script: './x.mjs' } },
      'scenarios[0].client "ioredis" "node-redis" "iovalkey" found "wire"',
    ],
    [
      'a script in a shared pool',
      { ...group({ pool: 'shared' }), workload: { script: './x.mjs' } },
      'scenarios[0].pool "shared" found "shared"',
    ],
    [
      'a script in batches',
      { ...group({ pipeline: [1, 10] }), workload: { script: './x.mjs' } },
      'scenarios[0].pipeline 1 found a list',
    ],
    [
      'a script beside commands',
      { ...good, workload: { script: './x.mjs', commands: [{ command: 'GET {key}' }] } },
      'workload.commands found a list',
    ],
    [
      'a script on a cluster',
      { ...good, target: { ...good.target, cluster: true }, workload: { script: './x.mjs' } },
      'workload.script found "x.mjs"',
    ],
    ['0 workers', group({ workers: [10, 0] }), 'scenarios[0].workers[1] 1 100000 found 0'],
    ['0 workers as a single value', group({ workers: 0 }), 'scenarios[0].workers 1 100000 found 0'],
    ['half a worker', group({ workers: [-0.5] }), 'scenarios[0].workers[0] 1 100000 found -0.5'],
    ['a number as text', group({ workers: '10' }), 'scenarios[0].workers 1 100000 found "10"'],
    ['an object for a list', group({ workers: {} }), 'scenarios[0].workers 1 100000 found an object'],
    ['an empty list', group({ workers: [] }), 'scenarios[0].workers found an empty list'],
    ['pipeline 0', group({ pipeline: [1, 0] }), 'scenarios[0].pipeline[1] 1 10000 found 0'],
    ['autopipelining as text', group({ autoPipelining: 'yes' }), 'scenarios[0].autoPipelining found "yes"'],
    [
      'an unknown place for batch workers',
      group({ batch: { pool: 'own', workers: 1, pipeline: 10 } }),
      'scenarios[0].batch.pool "none" "shared" "separate" found "own"',
    ],
    [
      'batch workers as a number',
      group({ batch: [5] }),
      'scenarios[0].batch[0] "pool" "shared" "workers" 5 "pipeline" 100 found 5',
    ],
    [
      'batches no larger than the others',
      group({ pipeline: [1, 10], batch: { pool: 'shared', workers: 5, pipeline: 10 } }),
      'scenarios[0].batch.pipeline 10 found 10',
    ],
    [
      'fewer batch workers than pools',
      group({ pools: 4, batch: [{ pool: 'none' }, { pool: 'shared', workers: 3, pipeline: 10 }] }),
      'scenarios[0].batch[1].workers 4 found 3',
    ],
    [
      'more pools than workers',
      group({ workers: [50, 3], pools: [1, 4] }),
      'scenarios[0].pools[1] 3 found 4',
    ],
    [
      'more pools than workers, as single values',
      group({ workers: 3, pools: 4 }),
      'scenarios[0].pools 3 found 4',
    ],
    ['more pools than keys', { ...group({ pools: 4 }), workload: { keys: 3 } }, 'workload.keys 4 found 3'],
    [
      'more in flight than memory holds',
      { ...group({ workers: 50, pipeline: [1, 100] }), workload: { valueBytes: 1_048_576 } },
      'scenarios[0].pipeline 1 4.9 found a list',
    ],
    [
      'too many threads',
      group({ workers: 1000, pools: 600, poolsPerThread: [1, 2] }),
      'scenarios[0].pools 256 found 600',
    ],
    [
      'an unknown preset',
      group({ pool: 'best' }),
      'scenarios[0].pool "baseline" "lock-free" "health-cached" "warmed" "optimized" "shared" found "best"',
    ],
    [
      'an unknown arrival',
      group({ arrival: [{ kind: 'closed' }, { kind: 'uniform', rate: 1 }] }),
      'scenarios[0].arrival[1].kind "closed" "constant" "poisson" "burst" "recorded" found "uniform"',
    ],
    [
      'an arrival as text',
      group({ arrival: 'constant' }),
      'scenarios[0].arrival "kind" "closed" "kind" "constant" "rate" 2000 found "constant"',
    ],
    [
      'an open loop without a rate',
      group({ arrival: { kind: 'constant' } }),
      'scenarios[0].arrival.rate missing 0.1 10000000',
    ],
    [
      'a rate of 0 in a list',
      group({ arrival: [{ kind: 'poisson', rate: [100, 0] }] }),
      'scenarios[0].arrival[0].rate[1] 0.1 10000000 found 0',
    ],
    [
      'a rate of a closed loop',
      group({ arrival: { kind: 'closed', rate: 100 } }),
      'scenarios[0].arrival unknown key "rate"',
    ],
    [
      'a burst without a size',
      group({ arrival: { kind: 'burst', rate: 100 } }),
      'scenarios[0].arrival.size missing 1 1000000',
    ],
    [
      'a burst of broken batches',
      group({ pipeline: [1, 8], arrival: { kind: 'burst', rate: 100, size: 20 } }),
      'scenarios[0].arrival.size 8 found 20',
    ],
    [
      'an unknown order of rates',
      group({ arrival: { kind: 'constant', rate: [1, 2], order: 'down' } }),
      'scenarios[0].arrival.order "shuffled" "upAndDown" found "down"',
    ],
    [
      'one rate to go up and down',
      group({ arrival: [{ kind: 'constant', rate: [5, 5], order: 'upAndDown' }] }),
      'scenarios[0].arrival[0].rate found a list',
    ],
    [
      'a stage without a rate',
      group({ arrival: { kind: 'constant', stages: [{ seconds: 1 }] } }),
      'scenarios[0].arrival.stages[0].rate missing 0 10000000',
    ],
    [
      'no stages',
      group({ arrival: { kind: 'constant', stages: [] } }),
      'scenarios[0].arrival.stages found an empty list',
    ],
    [
      'stages beside a rate',
      group({ arrival: { kind: 'constant', rate: 5, stages: [{ seconds: 1, rate: 5 }] } }),
      'scenarios[0].arrival.stages found a list',
    ],
    [
      'stages in which nothing is due',
      group({ arrival: { kind: 'poisson', stages: [{ seconds: 1, rate: 0, rampTo: 1 }] } }),
      'scenarios[0].arrival.stages 1 found 0.5',
    ],
    [
      'stages to go up and down',
      group({ arrival: { kind: 'poisson', stages: [{ seconds: 1, rate: 5 }], order: 'upAndDown' } }),
      'scenarios[0].arrival.rate missing',
    ],
    [
      'stages that are not as long as the measured time',
      { ...group({ arrival: { kind: 'constant', stages: [{ seconds: 2, rate: 5 }] } }), seconds: 1 },
      'scenarios[0].arrival.stages 1 found 2',
    ],
    [
      'stages of different lengths',
      group({ arrival: [1, 2].map(seconds => ({ kind: 'constant', stages: [{ seconds, rate: 5 }] })) }),
      'scenarios[0].arrival[1].stages 1 found 2',
    ],
    [
      'stages that take too long',
      group({ arrival: { kind: 'constant', stages: [1, 2].map(rate => ({ seconds: 3000, rate })) } }),
      'seconds 0.05 3600 found 6000',
    ],
    [
      'a stage that takes too long, which is no measured time',
      group({ arrival: { kind: 'constant', stages: [{ seconds: 5000, rate: 1 }] } }),
      'scenarios[0].arrival.stages[0].seconds 0.01 3600 found 5000',
    ],
    [
      'an unknown kind of arrival, whose other keys are not judged',
      { ...good, populations: [{ name: 'p', arrival: { kind: 'even', stages: [null] } }] },
      'populations[0].arrival.kind "closed" "constant" "poisson" "burst" "recorded" found "even"',
    ],
    [
      'batch workers beside an open loop',
      group({
        arrival: [{ kind: 'closed' }, { kind: 'constant', rate: 5 }],
        batch: [{ pool: 'none' }, { pool: 'shared', workers: 10, pipeline: 10 }],
      }),
      'scenarios[0].batch[1].pool "none" found "shared"',
    ],
    [
      'an unknown server',
      { ...good, target: { server: 'memcached', url: 'redis://h' } },
      'target.server "redis" "valkey" "dragonfly" "any" found "memcached"',
    ],
    ['a name that is no folder name', { ...good, name: '../up' }, 'name 1 64 "." "_" "-" found "../up"'],
    ['no scenarios', { ...good, scenarios: [] }, 'scenarios "workers" 50 found an empty list'],
    [
      'a missing key',
      { ...good, target: { server: 'redis' } },
      'target.url missing "redis://localhost:6379/0"',
    ],
    ['a share above 1', { ...good, workload: { readShare: 50 } }, 'workload.readShare 0 1 found 50'],
    ['null', { ...good, rounds: null }, 'rounds 1 1000 found null'],
    [
      'a misspelt key',
      { ...good, workload: { value_bytes: 3 } },
      'workload unknown key "value_bytes" "valueBytes"',
    ],
    [
      'another name for a key',
      { ...good, populations: [{ name: 'churn', reconnectEveryMs: 50 }] },
      'populations[0] unknown key "reconnectEveryMs" "cutEveryMs"',
    ],
    [
      'a key that is like no other',
      { ...good, target: { ...good.target, password: 'p' } },
      'target unknown key "password"',
    ],
  ])('%s', (_, config, fault) => {
    expect(faultsOf(config).map(outlineOf)).toEqual([fault]);
  });

  test.each(['localhost:6379', 'http://localhost', 'redis://', 'redis://h:99999', 'redis://h/zero', ''])(
    'the URL "%s" is refused under its path',
    url => {
      const faults = faultsOf({ ...good, target: { server: 'redis', url } });
      expect(faults).toHaveLength(1);
      expect(faults[0]).toMatch(/^target\.url: expected .*, found /);
    },
  );

  test('the URL that was meant follows the one that was found', () => {
    const [fault] = faultsOf({ ...good, target: { server: 'redis', url: 'redis//h' } });
    expect(fault).toMatch(/, found "redis\/\/h" \(did you mean redis:\/\/h\?\)$/);
  });

  test('all faults of a config are listed, in the order of the file, each on its own line', () => {
    const faults = faultsOf({
      name: 7,
      target: { server: 'redid', url: 'x' },
      scenarios: [{ worker: [1], workers: [0, 'two', 3], pipeline: 0 }, { workers: 3, pools: 4 }, 5],
      seconds: -1,
      round: 3,
    });
    expect(faults.map(fault => fault.slice(0, fault.indexOf(':')))).toEqual([
      'name',
      'target.server',
      'target.url',
      'scenarios[0]',
      'scenarios[0].workers[0]',
      'scenarios[0].workers[1]',
      'scenarios[0].pipeline',
      'scenarios[1].pools',
      'scenarios[2]',
      'seconds',
      'top level',
    ]);
  });

  test('rules between keys are judged in a config with other faults', () => {
    const faults = faultsOf({
      name: 'a b',
      target: { server: 'redis', url: 'redis://h', cluster: true, tls: { cert: 'c.pem', ca: 7 } },
      workload: { readShare: 2, commands: [{ command: 'GET "' }, { command: 'MGET {key} {key}' }] },
      scenarios: [
        { pipeline: 0, workers: 10, pools: 20 },
        5,
        { workers: 10, cut: 'silent', cutEveryMs: 50, arrival: { kind: 'burst', rate: -1, size: 5 } },
        { workers: 10, pools: 5, arrival: { kind: 'constant', rate: 1, stages: [{ seconds: 3, rate: 5 }] } },
      ],
      populations: [
        { name: 'bulk', workers: 0 },
        { name: 'bulk', workers: 2, pools: 7 },
      ],
      thresholds: { 'response.p99': 5, opsPerSecond: 'x' },
      seconds: 2,
    });
    expect(faults.map(fault => fault.slice(0, fault.indexOf(':')))).toEqual([
      'name',
      'target.tls.key',
      'target.tls.ca',
      'workload.readShare',
      'workload.commands[0].command',
      'workload.commands[1].command',
      'scenarios[0].pipeline',
      'scenarios[0].pools',
      'scenarios[1]',
      'scenarios[2].cut',
      'scenarios[2].arrival.rate',
      'scenarios[3].arrival.stages',
      'populations[0].workers',
      'populations[1].name',
      'populations[1].pools',
      'thresholds["response.p99"]',
      'thresholds.opsPerSecond',
    ]);
  });

  test.each<[string, object, string[]]>([
    ['a value that is missing', { scenarios: [{ workers: 0, pools: 4 }] }, ['scenarios[0].workers']],
    ['a misspelt key', { scenarios: [{ worker: 10, pools: 4 }] }, ['scenarios[0]']],
    [
      'a misspelt key of an arrival',
      { scenarios: [{ arrival: { kind: 'poisson', rte: 5 } }] },
      ['scenarios[0].arrival'],
    ],
    [
      'a value in a single arrival',
      { scenarios: [{ pipeline: 8, arrival: { kind: 'burst', rate: 5, size: 0 } }] },
      ['scenarios[0].arrival.size'],
    ],
    [
      'one of several arrivals',
      { scenarios: [{ arrival: [{ kind: 'constant', stages: [{ seconds: 2, rate: 5 }] }, 'poisson'] }] },
      ['scenarios[0].arrival[1]'],
    ],
    [
      'stages whose length would be the measured time',
      {
        scenarios: ['2', 3].map(seconds => ({
          arrival: { kind: 'constant', stages: [{ seconds, rate: 5 }] },
        })),
      },
      ['scenarios[0].arrival.stages[0].seconds'],
    ],
    ['the first of two numbers', { rounds: { atLeast: 5000, atMost: 7 } }, ['rounds.atLeast']],
    [
      'a scenario that a threshold may name',
      {
        scenarios: [{ workers: 'ten' }],
        thresholds: { 'ioredis-optimized-1pool-10workers:response.p99': '< 5ms' },
      },
      ['scenarios[0].workers'],
    ],
  ])('no rule between keys is judged that reads %s', (_, keys, places) => {
    const faults = faultsOf({ ...good, ...keys });
    expect(faults.map(fault => fault.slice(0, fault.indexOf(':')))).toEqual(places);
  });

  test('every fault has the line and the column of its value, of its key, or of the object that lacks it', () => {
    const text = `// A first try.
{
  "name": "a b",
  "target": { "server": "any" }, // no URL
  "workload": {
    "readShare": 50, "hitShare": -1,
    "Keys": 10, "other": 1
  },
  "scenarios": [
    { "workers": 3, "pools": 4, },
    {
      "workers": [
        10,
        "many"
      ]
    },
    7
  ],
  "rounds": 5,
  "rounds": 0
}
`;
    let message = '';
    try {
      parseConfig(`\uFEFF${text.replaceAll('\n', '\r\n')}`, 'configs/x.json');
    } catch (error) {
      message = (error as Error).message;
    }
    const lines = message.split('\n').slice(1, -1);
    expect(lines.map(line => line.replace(/(?<=: (missing|unknown key|expected|this key)).*/, ''))).toEqual([
      '  configs/x.json:3:11: name: expected',
      '  configs/x.json:4:13: target.url: missing',
      '  configs/x.json:6:18: workload.readShare: expected',
      '  configs/x.json:6:34: workload.hitShare: expected',
      '  configs/x.json:7:5: workload: unknown key',
      '  configs/x.json:7:17: workload: unknown key',
      '  configs/x.json:10:30: scenarios[0].pools: expected',
      '  configs/x.json:14:9: scenarios[1].workers[1]: expected',
      '  configs/x.json:17:5: scenarios[2]: expected',
      '  configs/x.json:20:3: rounds: this key',
      '  configs/x.json:20:13: rounds: expected',
    ]);
  });

  test('a key given twice is the only fault of a config that is fine otherwise', () => {
    const text = JSON.stringify(good).replace('"name"', '"name":"first","name"');
    expect(() => parseConfig(text, 'a.json')).toThrow(
      /^a\.json .* 1 fault:\n {2}a\.json:1:17: name: .* twice\n.*$/,
    );
  });

  test('a config that is no text has faults without a place', () => {
    expect(() => checkConfig({ ...good, rounds: 0 }, 'result.json')).toThrow(
      /^result\.json .* 1 fault:\n {2}rounds: .*, found 0\n.*$/,
    );
  });
});

describe('config defaults are filled in', () => {
  test('a config needs a name, a target and scenarios; every other key has a default', () => {
    const text = '{"name":"least","target":{"server":"redis","url":"redis://localhost"},"scenarios":[{}]}';
    expect(parseConfig(text, 'least.json')).toEqual({
      name: 'least',
      target: {
        server: 'redis',
        url: 'redis://localhost',
        threads: [],
        protocol: null,
        tls: { ca: null, cert: null, key: null, servername: null, rejectUnauthorized: true },
        sentinel: { master: null, others: [], username: null, password: null },
        keyPrefix: '',
        natMap: {},
        cluster: false,
      },
      workload: {
        keys: 10_000,
        valueBytes: 32,
        readShare: 0.5,
        keyChoice: { kind: 'uniform' },
        valueContent: { kind: 'random' },
        commands: [],
        replay: null,
        script: null,
        functions: [],
        hitShare: 1,
        subscribers: 0,
        members: 10,
        types: {},
        ycsb: null,
      },
      scenarios: [
        {
          client: ['ioredis'],
          pool: ['optimized'],
          pools: [1],
          workers: [50],
          pipeline: [1],
          poolsPerThread: [1],
          connectionsPerWorker: [2],
          minIdleShare: [0.25],
          healthTtlMs: [1000],
          probe: ['poll'],
          arrival: [{ kind: 'closed' }],
          connects: ['parallel'],
          clientOptions: [{}],
          autoPipelining: [false],
          readFrom: ['primary'],
          transport: ['direct'],
          batch: [{ pool: 'none' }],
          cutEveryMs: [0],
          cut: ['close'],
          burst: [false],
          hosts: [0],
          beside: [null],
        },
      ],
      populations: [],
      rounds: { atLeast: 10, atMost: 50 },
      budgetSeconds: null,
      seconds: 1,
      warmupSeconds: 0.25,
      seed: 1,
      timeoutMs: 5000,
      maxFailedShare: 0.01,
      compare: null,
      clientsFrom: null,
      thresholds: {},
      search: null,
    });
  });

  test('a single value stands for a list of one', () => {
    const text =
      '\uFEFF{"name":"one","target":{"server":"redis","url":"redis://h"},"workload":{"keys":7},"scenarios":[{"workers":3,"client":"wire"}]}';
    const experiment = parseConfig(text, 'one.json');
    expect(experiment.scenarios[0]).toMatchObject({ workers: [3], client: ['wire'] });
    expect(experiment.workload).toMatchObject({ keys: 7, valueBytes: 32, readShare: 0.5 });
  });
});

describe('config of any length is answered in a few lines', () => {
  const many = (count: number, item: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => item(i)).join();

  test.each([
    [
      '20 MB of one text',
      `{"name":"${'a'.repeat(20e6)}"}`,
      /expected at most 1048576 characters, found 20000011/,
    ],
    ['nothing but blanks', ' '.repeat(5e6), /found 5000000/],
    ['a million of text', `{"name":"${'a'.repeat(1e6)}"}`, /name: expected 1 to 64 letters.*found "a{39}…"/],
    ['a million levels', '['.repeat(1e6), /at most 100 levels/],
    ['a million commas', `[${','.repeat(1e6)}`, /a\.json:1:2: .*found ','/],
    ['hundreds of thousands of values', `[${many(300_000, () => '0')}]`, /at most 100000 values/],
    ['keys that are given again and again', `{${many(9000, () => '"a":0')}}`, /a: this key is given twice/],
    [
      'thousands of keys',
      `{${many(50_000, i => `"k${i}":0`)}}`,
      /unknown key "k0"; known keys: .*unknown key "k45"; .*\n {2}and \d+ more\n/s,
    ],
    ['a key without end', `{"${'k'.repeat(1e6)}":0}`, /unknown key "k{39}…"; known keys:/],
    [
      'thousands of faults',
      `{"name":"a","target":{"server":"redis","url":"redis://a"},"scenarios":[${many(1000, i => `{"workers":-${i + 1}}`)}]}`,
      /1000 faults:\n.*and 950 more\n/s,
    ],
  ])('%s', (_what, text, says) => {
    let found: unknown;
    try {
      parseConfig(text, 'a.json');
    } catch (error) {
      found = error;
    }
    if (!(found instanceof PoolbenchError)) throw found ?? new Error('expected it to be refused');
    expect(found.code).toBe('CONFIG_INVALID');
    expect(found.message).toMatch(says);
    expect(found.message.length).toBeLessThan(20_000);
  });
});
