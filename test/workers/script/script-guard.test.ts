import { describe, expect, test } from 'vitest';
import { ScriptGuard } from '../../../src/workers/script/script-guard.ts';

const own = 'k:00000007';
const [FOREIGN_KEY, COMMAND_REFUSED] = ['FOREIGN_KEY', 'COMMAND_REFUSED'];

/** The code with which a command is refused; undefined if it may be sent. */
function check(...[name = '', ...args]: readonly (string | Buffer | number)[]): string | undefined {
  const fault = new ScriptGuard('k:', 10).forConnection()(String(name), args, 0);
  return fault !== undefined && 'code' in fault ? String(fault.code) : undefined;
}

describe('a script may send', () => {
  test.each([
    [['get', own]],
    [['GET', Buffer.from(own)]],
    [['set', own, 'any text', 'EX', 10]],
    [['mget', own, 'k:00000000', 'k:00000009']],
    [['mset', own, 'a', 'k:00000000', 'b']],
    [['eval', 'return 1', 1, own, 'any']],
    [['evalsha', 'a'.repeat(40), '0', 'any']],
    [['blpop', own, 1]],
    [['xreadgroup', 'GROUP', 'streams', 'me', 'STREAMS', own, '>']],
    [['xack', own, 'group', '0-1']],
    [['xgroup', 'CREATE', own, 'group', '0']],
    [['zunionstore', own, 2, own, own]],
    [['watch', own]],
    [['multi']],
    [['exec']],
    [['script', 'LOAD', 'return 1']],
    [['ping']],
    [['object', 'encoding', own]],
  ])('%j', words => {
    expect(check(...words)).toBeUndefined();
  });
});

describe('a script may not send', () => {
  test.each([
    [['get', 'other'], FOREIGN_KEY],
    [['get', ''], FOREIGN_KEY],
    [['get', Buffer.from('other')], FOREIGN_KEY],
    [['get', 'k:claim'], FOREIGN_KEY],
    [['get', 'k:00000010'], FOREIGN_KEY],
    [['get', 'k:0000000a'], FOREIGN_KEY],
    [['get', `${own}:more`], FOREIGN_KEY],
    [['mget', own, 'other'], FOREIGN_KEY],
    [['mset', own, 'a', 'other', 'b'], FOREIGN_KEY],
    [['eval', 'return 1', 2, own, 'other'], FOREIGN_KEY],
    [['fcall', 'mine', 1, 'other'], FOREIGN_KEY],
    [['blpop', own, 'other', 1], FOREIGN_KEY],
    [['xreadgroup', 'GROUP', 'g', 'me', 'STREAMS', 'other', '>'], FOREIGN_KEY],
    [['xgroup', 'CREATE', 'other', 'group', '0'], FOREIGN_KEY],
    [['rename', own, 'other'], FOREIGN_KEY],
    [['publish', 'news', 'text'], FOREIGN_KEY],
    [['watch', own, 'other'], FOREIGN_KEY],
    [['sort', own, 'store', 'other'], FOREIGN_KEY],
    [['sort', own, 'by', 'other*'], COMMAND_REFUSED],
    [['copy', own, own, 'DB', 1], COMMAND_REFUSED],
    [['eval', 'return 1', 'many'], COMMAND_REFUSED],
    [['xread', 'COUNT', 1], COMMAND_REFUSED],
    [['flushdb'], COMMAND_REFUSED],
    [['keys', '*'], COMMAND_REFUSED],
    [['script', 'flush'], COMMAND_REFUSED],
    [['client', 'kill', 'type', 'normal'], COMMAND_REFUSED],
    [['select', 1], COMMAND_REFUSED],
    [['monitor'], COMMAND_REFUSED],
  ])('%j: %s', (words, code) => {
    expect(check(...words)).toBe(code);
  });
});

test('commands are counted by the names that the server has for them, without those of its transactions', () => {
  const guard = new ScriptGuard('k:', 10);
  const send = guard.forConnection();
  for (const [name = '', ...args] of [
    ['get', own],
    ['GET', own],
    ['get', 'other'],
    ['object', 'ENCODING', own],
    ['ping'],
    ['multi'],
    ['set', own, '1'],
    ['exec'],
    ['get', own],
  ])
    send(name, args, 0);
  expect(guard.sent).toEqual({ get: 3, 'object|encoding': 1, multi: 1, set: null, exec: 1 });
});
