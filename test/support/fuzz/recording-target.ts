import { equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { experimentSchema } from '../../../src/main/experiment/experiment.ts';
import { fitRecording } from '../../../src/main/experiment/recording/fit-recording.ts';
import { readRecording } from '../../../src/main/experiment/recording/recorded-operations.ts';
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
  )
  .map(([name, args, source]) => monitorLine([name, ...args], { source }));
/** Text of somebody else, and lines that are cut. */
const line = fc.oneof(
  { weight: 8, arbitrary: command },
  { weight: 1, arbitrary: fc.tuple(command, fc.nat(80)).map(([text, end]) => text.slice(0, end)) },
  { weight: 1, arbitrary: fc.string() },
);

/** Any text is a valid config, or none, and no command is lost. */
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
      if (fitted !== undefined) experimentSchema.parse(fitted.config);
    });
    return { property, close: async () => {} };
  },
};
