// A rate limiter: a Lua script counts the calls of each user, and starts again every minute.
import { createHash } from 'node:crypto';

const lua = `
local calls = redis.call('INCR', KEYS[1])
if calls == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return calls <= tonumber(ARGV[1]) and 1 or 0`;
const sha = createHash('sha1').update(lua).digest('hex');

const maxCalls = 100;
const everyMs = 60_000;

/** @param {import('poolbench').Session} session */
export default async ({ client, key, step }) => {
  const user = key();
  await step('limit', async () => {
    try {
      return await client.evalsha(sha, 1, user, maxCalls, everyMs);
    } catch (error) {
      // The server does not have the script yet.
      if (!error.message.startsWith('NOSCRIPT')) throw error;
      return await client.eval(lua, 1, user, maxCalls, everyMs);
    }
  });
};
