import { PoolError } from '../errors.ts';
import { type Address, authArguments, nodeAddress, type Sentinel, shownNode } from './address.ts';
import type { NodePlace } from './cluster/slot-ranges.ts';
import { encodeRequest } from './request-templates.ts';
import { ErrorReply, RespReader, RespSyntaxError, type RespValue } from './resp-values.ts';
import { openSocket } from './socket.ts';

/**
 * Finds out before every connection attempt where to connect: the address itself, or the master that a Sentinel names now.
 * Both clients and the coordinator use it, so that an attempt costs the same and fails with the same codes. ioredis's
 * own search would retry by itself, and join all reasons into one text.
 *
 * @param timeoutMs bounds one search, over all Sentinels
 * @returns a function that rejects with PoolError NO_MASTER, whose message has the reason of each Sentinel
 */
export function serverFinder(address: Address, timeoutMs: number): () => Promise<Address> {
  const { sentinel } = address;
  if (sentinel === undefined) return () => Promise.resolve(address);
  const ask = asker(address, sentinel, timeoutMs);
  return async () => {
    const { host, port } = await ask(['GET-MASTER-ADDR-BY-NAME'], ([reply]) => masterIn(reply));
    return nodeAddress(address, host, port);
  };
}

/**
 * Also looks up the replicas of the master, without those that the Sentinel reports as lost.
 *
 * @param address has a Sentinel
 */
export function replicatedFinder(
  address: Address,
  timeoutMs: number,
): () => Promise<{ readonly master: NodePlace; readonly replicas: readonly NodePlace[] }> {
  const { sentinel } = address;
  if (sentinel === undefined) throw new Error('expected the address of a Sentinel');
  const ask = asker(address, sentinel, timeoutMs);
  return () =>
    ask(['GET-MASTER-ADDR-BY-NAME', 'REPLICAS'], ([master, replicas]) => ({
      master: masterIn(master),
      replicas: replicasIn(replicas),
    }));
}

/** Answers to the questions about a master, in their order. */
type Answers = readonly (RespValue | undefined)[];

/** Returns a function that asks one Sentinel after the other until one answers all questions. */
function asker(
  address: Address,
  sentinel: Sentinel,
  timeoutMs: number,
): <T>(questions: readonly string[], read: (answers: Answers) => T) => Promise<T> {
  const nodes = [address, ...sentinel.others].map(({ host, port }) => nodeAddress(address, host, port));
  /** The one that answered last is asked first. */
  let first = 0;
  return async (questions, read) => {
    const reasons: string[] = [];
    for (let turn = 0; turn < nodes.length; turn++) {
      const index = (first + turn) % nodes.length;
      const node = nodes[index] as Address;
      try {
        const answers = read(await askSentinel(node, sentinel, questions, timeoutMs / nodes.length));
        first = index;
        return answers;
      } catch (error) {
        reasons.push(`${shownNode(node)}: ${reasonOf(error)}`);
      }
    }
    const message = `No Sentinel names the master "${sentinel.master}" (${reasons.join('; ')})`;
    throw new PoolError('NO_MASTER', message);
  };
}

/** More bytes than the answers to a login and to the questions have: a Sentinel sends about 1 kB for each replica. */
const maxAnswerBytes = 256 * 1024;

/** One Sentinel's answers. Rejects with the socket's error, or with its refusal. */
async function askSentinel(
  node: Address,
  sentinel: Sentinel,
  questions: readonly string[],
  timeoutMs: number,
): Promise<Answers> {
  const requests = questions.map(question => ['SENTINEL', question, sentinel.master]);
  const auth = authArguments(sentinel);
  if (auth.length > 0) requests.unshift(['AUTH', ...auth]);
  const reader = new RespReader(bytes => bytes.toString(), { maxBytes: maxAnswerBytes });
  const replies: RespValue[] = [];
  let onBytes = () => {};
  const buffer = Buffer.alloc(1024);
  const callback = (length: number): boolean => {
    reader.push(Buffer.from(buffer.subarray(0, length)));
    onBytes();
    return true;
  };
  const deadlineMs = performance.now() + timeoutMs;
  const socket = await openSocket(node, { buffer, callback }, timeoutMs);
  let late: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      onBytes = () => {
        try {
          for (let reply = reader.read(); reply !== undefined; reply = reader.read()) {
            expectNoRefusal(reply);
            if (replies.push(reply) === requests.length) resolve(replies.slice(-questions.length));
          }
        } catch (error) {
          reject(
            error instanceof RespSyntaxError ? new Error('it does not speak the Redis protocol') : error,
          );
        }
      };
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('it closed the connection without an answer')));
      late = setTimeout(
        () => reject(new Error(`no answer within ${Math.round(timeoutMs)} ms`)),
        deadlineMs - performance.now(),
      );
      for (const request of requests) socket.write(encodeRequest(request));
      onBytes();
    });
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

function expectNoRefusal(reply: RespValue): void {
  if (!(reply instanceof ErrorReply)) return;
  // What repeats its arguments could repeat the password.
  throw new Error(/unknown command/i.test(reply.message) ? 'it is not a Sentinel' : reply.message);
}

function masterIn(reply: RespValue | undefined): NodePlace {
  if (reply === null) throw new Error('it knows no master with that name');
  const [host, port] = Array.isArray(reply) ? reply : [];
  if (typeof host !== 'string' || !/^\d+$/.test(String(port)))
    throw new Error('its answer is not the address of a master');
  return { host, port: Number(port) };
}

/** The replicas that a Sentinel reports as in service. Each is a list of names and values. */
function replicasIn(reply: RespValue | undefined): NodePlace[] {
  if (!Array.isArray(reply)) throw new Error('its answer is not a list of replicas');
  return reply.flatMap(replica => {
    const texts = Array.isArray(replica) ? replica.map(String) : [];
    const textAt = (name: string) => texts[texts.indexOf(name) + 1] ?? '';
    const isLost = /s_down|o_down|disconnected/.test(textAt('flags'));
    return isLost ? [] : [{ host: textAt('ip'), port: Number(textAt('port')) }];
  });
}

/** The system's words lack the code of TLS errors, and what a refused connection means. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
