import { ok, type Reply } from './protocol.ts';
import { type Call, type Command, globPattern, integer, notAnInteger, syntaxError, text } from './state.ts';

const many = Number.POSITIVE_INFINITY;

/** Commands on keys. */
export const keyCommands: Readonly<Record<string, Command>> = {
  get: { arity: [1, 1], run: ({ database, args: [key] }) => (key === undefined ? null : database.get(key)) },
  set: { arity: [2, many], run: set },
  del: { arity: [1, many], run: remove },
  unlink: { arity: [1, many], run: remove },
  exists: { arity: [1, many], run: ({ database, args }) => args.filter(key => database.has(key)).length },
  incr: { arity: [1, 1], run: increment },
  mget: { arity: [1, many], run: ({ database, args }) => args.map(key => database.get(key)) },
  mset: { arity: [2, many], run: setMany },
  scan: { arity: [1, many], run: scan },
  dbsize: { arity: [0, 0], run: ({ database }) => database.size },
  expire: { arity: [2, 2], run: expire },
};

function set(call: Call): Reply {
  const [key, value] = call.args;
  if (key === undefined || value === undefined) return syntaxError;
  let expiresAt: number | undefined;
  let condition: string | undefined;
  for (let at = 2; at < call.args.length; at += 1) {
    const option = text(call, at).toUpperCase();
    if ((option === 'NX' || option === 'XX') && condition === undefined) condition = option;
    else if ((option === 'EX' || option === 'PX') && expiresAt === undefined && at + 1 < call.args.length) {
      at += 1;
      const duration = integer(text(call, at));
      if (duration === undefined) return notAnInteger;
      if (duration <= 0) return { error: "ERR invalid expire time in 'set' command" };
      expiresAt = Date.now() + duration * (option === 'EX' ? 1000 : 1);
    } else return syntaxError;
  }
  if (condition !== undefined && call.database.has(key) !== (condition === 'XX')) return null;
  call.database.set(key, value, expiresAt);
  return ok;
}

function remove({ database, args }: Call): Reply {
  return args.filter(key => database.delete(key)).length;
}

function increment({ database, args: [key] }: Call): Reply {
  if (key === undefined) return syntaxError;
  const value = integer(database.get(key)?.toString('latin1') ?? '0');
  if (value === undefined || !Number.isSafeInteger(value + 1)) return notAnInteger;
  database.replace(key, Buffer.from(String(value + 1)));
  return value + 1;
}

function setMany({ database, args }: Call): Reply {
  if (args.length % 2 !== 0) return { error: "ERR wrong number of arguments for 'mset' command" };
  for (let at = 0; at < args.length; at += 2) {
    const [key, value] = args.slice(at, at + 2);
    if (key !== undefined && value !== undefined) database.set(key, value);
  }
  return ok;
}

function scan(call: Call): Reply {
  const after = integer(text(call, 0));
  if (after === undefined || after < 0) return { error: 'ERR invalid cursor' };
  let count = 10;
  let pattern: RegExp | undefined;
  for (let at = 1; at < call.args.length; at += 2) {
    const option = text(call, at).toUpperCase();
    if (at + 1 === call.args.length) return syntaxError;
    if (option === 'MATCH') pattern = globPattern(text(call, at + 1));
    else if (option === 'COUNT') {
      const wanted = integer(text(call, at + 1));
      if (wanted === undefined) return notAnInteger;
      if (wanted < 1) return syntaxError;
      count = wanted;
    } else return syntaxError;
  }
  const { cursor, keys } = call.database.scan(after, count);
  return [String(cursor), keys.filter(key => pattern?.test(key.toString('latin1')) ?? true)];
}

function expire(call: Call): Reply {
  const [key] = call.args;
  const seconds = integer(text(call, 1));
  if (key === undefined || seconds === undefined) return notAnInteger;
  return call.database.expire(key, Date.now() + seconds * 1000) ? 1 : 0;
}
