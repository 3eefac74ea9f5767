import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { withRecordedRates } from '../../../src/main/experiment/recorded-arrivals.ts';
import { fitRecording } from '../../../src/main/experiment/recording/fit-recording.ts';
import { literalReplay } from '../../../src/main/experiment/recording/literal-replay.ts';
import { workloadTask } from '../../../src/main/experiment/workload.ts';
import { Batch } from '../../../src/pool/client/batch.ts';
import { commandMix } from '../../../src/workers/workload/command-mix.ts';
import { openWorkload } from '../../../src/workers/workload/open-workload.ts';
import {
  formatReplay,
  parseReplay,
  replayHead,
  unnamedHead,
  untimedHead,
} from '../../../src/workers/workload/replay-file.ts';
import { monitorLine } from '../../support/monitor-lines.ts';

/** A config for a file with this text. */
async function configFor(config: object, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const replay = join(folder, 'recording.replay');
  await writeFile(replay, text);
  const { workload = {}, ...rest } = config as { workload?: object };
  return { ...rest, workload: { ...workload, replay } };
}

test('a replay has the recorded commands on the recorded keys in their order, and each pool those on its keys', async () => {
  const count = 300;
  const recorded = Array.from({ length: count }, (_, index) => {
    const key = `key-${(index * index) % 23}`;
    if (index % 5 === 0) return ['SET', key, 'x'.repeat(10 + (index % 3)), 'EX', String(100 + index)];
    if (index % 7 === 0) return ['HSET', `hash-${index % 4}`, 'field', 'x'.repeat(10)];
    return index % 11 === 0 ? ['PING'] : ['GET', key];
  });
  const lines = recorded.map((words, index) => monitorLine(words, { at: 1_700_000_000 + index / 1000 }));
  const fitted = fitRecording(lines.join('\n'));
  if (fitted === undefined) throw new Error('nothing to replay');
  const { config, text, operations } = literalReplay(fitted, 'recording.replay');
  expect(operations).toBe(count);
  // It has the forms of the commands, and none of the names.
  expect(text).not.toMatch(/key-|hash-|field/);
  const experiment = experimentSchema.parse(withRecordedRates(await configFor(config, text)));
  // 299 gaps of a millisecond, and one before it would be repeated.
  expect(experiment.seconds).toBe(0.3);
  expect(experiment.scenarios[0]?.arrival).toEqual([{ kind: 'recorded', speed: 1, rate: 1000 }]);
  const task = workloadTask(experiment.workload);
  expect(task.keys).toBe(new Set(recorded.map(([, key]) => key).filter(key => key?.startsWith('key'))).size);

  const mix = commandMix(task, 'own:', 1);
  const replayed = (own: { firstKey: number; keys: number }, length: number) => {
    const workload = openWorkload(task, mix, own, 1);
    const batch = new Batch(length, { done: () => {} }, workload.stride);
    workload.fill(batch);
    return Array.from({ length }, (_, index) => {
      const template = mix.templates[batch.commandAt(index)];
      const { args = [] } = mix.commandSet.commands[batch.commandAt(index)] ?? {};
      const bytes = args.find(arg => typeof arg === 'string' && arg.length >= 10);
      const key = template?.bases.length === 0 ? undefined : batch.keyOf(index);
      return { name: template?.name, key, bytes: typeof bytes === 'string' ? bytes.length : undefined };
    });
  };
  const all = { firstKey: 0, keys: task.keys };
  const once = replayed(all, count);
  expect(once.map(({ name, bytes }) => [name, bytes])).toEqual(
    recorded.map(([name, , value]) => [name, name === 'HSET' ? 10 : value?.length]),
  );
  // The same number for the same key, and another one for any other.
  const pairs = new Set(once.map(({ key }, index) => `${recorded[index]?.[1]} ${key}`));
  expect(pairs.size).toBe(new Set(recorded.map(([, key]) => key)).size);
  expect(new Set(once.map(({ key }) => key)).size).toBe(pairs.size);
  expect(replayed(all, 2 * count)).toEqual([...once, ...once]);

  const half = Math.floor(task.keys / 2);
  const isFirst = ({ key = 0 }: { key?: number | undefined }) => key % task.keys < half;
  for (const [own, part] of [
    [{ firstKey: 0, keys: half }, once.filter(isFirst)],
    [{ firstKey: half, keys: task.keys - half }, once.filter(operation => !isFirst(operation))],
  ] as const)
    expect(replayed(own, part.length)).toEqual(part);
});

const workload = { keys: 10, commands: [{ command: 'GET {key}' }, { command: 'MGET {key} {key}' }] };

const named = `${replayHead}\nGET {key}\nMGET {key} {key}\n`;

test.each([
  ['', {}, /poolbench record --literal/],
  [`${untimedHead}\n`, {}, /operations/],
  [`${untimedHead}\n0 x\n`, {}, /only numbers/],
  [`${untimedHead}\n0\n`, {}, /2 numbers or more in line 2/],
  [`${untimedHead}\n0 0 999999999\n`, {}, /at most 99999999 in line 2/],
  [`${untimedHead}\n0 0 1\n2 0 1\n`, {}, /index of a command in line 3/],
  [`${untimedHead}\n0 0 1\n0 0 1x\n`, {}, /only numbers in line 3/],
  [`${untimedHead}\n1 0 1\n`, {}, /2 keys in line 2/],
  [`${untimedHead}\n0 0 10\n`, {}, /below 10 in line 2/],
  [`${unnamedHead}\n`, {}, /operations/],
  [`${unnamedHead}\n0\n`, {}, /3 numbers or more in line 2/],
  [`${unnamedHead}\n7 0 0 1\n6 0 0 1\n`, {}, /not before the previous one in line 3/],
  [`${unnamedHead}\n9999999999999 0 0 1\n`, {}, /at most 999999999999 in line 2/],
  [`${unnamedHead}\n0 1 0 1\n`, {}, /2 keys in line 2/],
  [`${replayHead}\n`, {}, /then an empty line/],
  [`${replayHead}\n\n0 0 0 1\n`, {}, /then an empty line/],
  [`${replayHead}\nGET {key}\n0 0 0 1\n`, {}, /then an empty line/],
  [`${named}\n`, {}, /operations/],
  [`${named}\n0\n`, {}, /3 numbers or more in line 5/],
  [`${named}\n0 0 0 1\n0 2 0 1\n`, {}, /index of a command in line 6/],
  ['poolbench replay 4\nGET {key}\n\n0 0 0 1\n', {}, /of this version or an earlier one/],
  [
    `${untimedHead}\n0 0 1\n`,
    { keyChoice: { kind: 'uniform' } },
    /no keyChoice, because replay has the keys/,
  ],
  [`${untimedHead}\n0 0 1\n`, { hitShare: 0.5 }, /1 or nothing, because replay has the keys/],
  [`${untimedHead}\n0 0 1\n`, { commands: [] }, /commands as well/],
])('%j with %j is refused', async (text, changes, expected) => {
  const config = { name: 'a', target: { server: 'any', url: 'redis://a' }, scenarios: [{ workers: 1 }] };
  const { error } = experimentSchema.safeParse(
    await configFor({ ...config, workload: { ...workload, ...changes } }, text),
  );
  expect(JSON.stringify(error?.issues)).toMatch(expected);
});

const get = { command: 'GET {key}' };
const mget = { command: 'MGET {key} {key}' };
test.each<[what: string, commands: { command: string; weight?: number }[], found: object | undefined]>([
  ['kept', [get, mget], undefined],
  ['with other weights', [{ ...get, weight: 9 }, mget], undefined],
  [
    'one changed',
    [{ command: 'DEL {key}' }, mget],
    { path: ['workload', 'commands', 0, 'command'], line: 2 },
  ],
  ['reordered', [mget, get], { path: ['workload', 'commands', 0, 'command'], line: 2 }],
  [
    'the last changed',
    [get, { command: 'DEL {key} {key}' }],
    { path: ['workload', 'commands', 1, 'command'], line: 3 },
  ],
  ['one removed', [get], { path: ['workload', 'commands'], line: 2 }],
  ['one added', [get, mget, get], { path: ['workload', 'commands'], line: 2 }],
])('the commands of a config must be those that its replay names: %s', async (_, commands, expected) => {
  const config = { name: 'a', target: { server: 'any', url: 'redis://a' }, scenarios: [{ workers: 1 }] };
  const operations = [
    { instant: 0, command: 0, size: 0, keys: [1] },
    { instant: 5, command: 1, size: 0, keys: [1, 2] },
  ];
  const text = formatReplay([get.command, mget.command], operations);
  const { error } = experimentSchema.safeParse(
    await configFor({ ...config, workload: { keys: 10, commands } }, text),
  );
  const found = error?.issues.map(issue => ({
    path: issue.path,
    line: Number(/line (\d+)/.exec(JSON.stringify(issue))?.[1]),
  }));
  expect(found).toEqual(expected && [expected]);
  // Files of earlier versions do not name them: the commands keep their place, whatever they are.
  const unnamed = `${unnamedHead}\n0 0 0 1\n`;
  const { success } = experimentSchema.safeParse(
    await configFor({ ...config, workload: { keys: 10, commands: [{ command: 'DEL {key}' }] } }, unnamed),
  );
  expect(success).toBe(true);
});

test.each([`${replayHead}\nGET {key}\n`, unnamedHead, untimedHead])(
  'any bytes after "%s" are a replay, or refused',
  head => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', '7', ' ', '\n', 'x') }), text => {
        let replay: ReturnType<typeof parseReplay>;
        try {
          replay = parseReplay(Buffer.from(`${head}\n${text}`));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        const lines = text.split('\n').flatMap(line => {
          const numbers = line.match(/\d+/g)?.map(Number);
          return numbers === undefined ? [] : [numbers];
        });
        const isTimed = head !== untimedHead;
        expect(replay.starts.length - 1).toBe(lines.length);
        expect([...replay.numbers]).toEqual(lines.flatMap(numbers => numbers.slice(isTimed ? 1 : 0)));
        expect(replay.instants && [...replay.instants]).toEqual(
          isTimed ? lines.map(([instant]) => instant) : undefined,
        );
      }),
    );
  },
);
