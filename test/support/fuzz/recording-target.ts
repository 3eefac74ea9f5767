import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { fitRecording } from '../../../src/main/experiment/recording/fit-recording.ts';
import { literalReplay } from '../../../src/main/experiment/recording/literal-replay.ts';
import { readRecording } from '../../../src/main/experiment/recording/recorded-operations.ts';
import { workloadTask } from '../../../src/main/experiment/workload.ts';
import { expectReplayOf } from '../../../src/workers/workload/replay.ts';
import { parseReplay } from '../../../src/workers/workload/replay-file.ts';
import { monitorLine } from '../monitor-lines.ts';
import type { FuzzTarget } from './fuzz-target.ts';

const bytes = fc.uint8Array({ maxLength: 12 }).map(some => String.fromCharCode(...some));
const commands = ['SET', 'MULTI', 'EXEC', 'WATCH', 'ZADD', 'MGET', 'XADD', 'EVAL', 'OBJECT', 'ZUNIONSTORE'];
const words = ['EX', '10', '-1', 'EXAT', 'MAXLEN', '~', '*', '99999999999', '2'];
const command = fc
  .tuple(
    fc.constantFrom(...commands),
    fc.array(fc.oneof(bytes, fc.constantFrom(...words)), { maxLength: 5 }),
    fc.constantFrom('127.0.0.1:1', '[::1]:2', 'unix:/run/my redis.sock', 'lua'),
    fc.nat(2e6),
  )
  .map(([name, args, source, micros]) => monitorLine([name, ...args], { source, at: 1.7e9 + micros / 1e6 }));
/** Text of somebody else, and lines that are cut. */
const line = fc.oneof(
  { weight: 8, arbitrary: command },
  { weight: 1, arbitrary: fc.tuple(command, fc.nat(80)).map(([text, end]) => text.slice(0, end)) },
  { weight: 1, arbitrary: fc.string() },
);

/** Any text gives a valid config and a valid replay, or neither, and no command is lost. */
export const recordingTarget: FuzzTarget = {
  name: 'recordings',
  async open() {
    const property = fc.property(fc.array(line, { maxLength: 15 }), lines => {
      const text = lines.join('\n');
      const { operations, leftOut, insideScripts, unreadable, commands } = readRecording(text);
      const left = [...leftOut.values()].reduce((sum, { count }) => sum + count, 0);
      // A transaction is one operation of several commands.
      ok(operations.length + left <= commands);
      ok(commands + insideScripts + unreadable <= text.split('\n').length);
      const fitted = fitRecording(text);
      equal(fitted === undefined, operations.length === 0);
      if (fitted === undefined) return;
      experimentSchema.parse(fitted.config);
      const { config, ...replay } = literalReplay(fitted, 'a.replay');
      const parsed = parseReplay(Buffer.from(replay.text));
      equal(parsed.instants?.length, replay.operations);
      const { scenarios: _, ...rest } = config;
      const workload = { ...rest.workload, replay: null };
      const experiment = experimentSchema.parse({ ...rest, workload, scenarios: [{}] });
      expectReplayOf(parsed, workloadTask(experiment.workload));
    });
    return { property, close: async () => {} };
  },
};
