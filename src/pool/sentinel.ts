import { type Address, nodeAddress, type Sentinel, shownNode } from './address.ts';
import { PoolError } from './errors.ts';
import { encodeRequest } from './request-templates.ts';
import { openSocket } from './socket.ts';

/**
 * Where to connect to, asked anew before every connect: the address itself, or the master that a Sentinel names now.
 * Both clients and the coordinator ask here, so that a connect costs them the same and fails with the same codes:
 * ioredis's own search would retry by itself and fold every reason into one text.
 *
 * @param timeoutMs bounds one search, over all Sentinels
 * @returns a function that rejects with PoolError NO_MASTER, whose message has the reason of each Sentinel
 */
export function serverFinder(address: Address, timeoutMs: number): () => Promise<Address> {
  const { sentinel } = address;
  if (sentinel === undefined) return () => Promise.resolve(address);
  const nodes = [address, ...sentinel.others].map(({ host, port }) => nodeAddress(address, host, port));
  /** The one that told last is asked first. */
  let first = 0;
  return async () => {
    const reasons: string[] = [];
    for (let turn = 0; turn < nodes.length; turn++) {
      const index = (first + turn) % nodes.length;
      const node = nodes[index] as Address;
      try {
        const { host, port } = await askForMaster(node, sentinel, timeoutMs / nodes.length);
        first = index;
        return nodeAddress(address, host, port);
      } catch (error) {
        reasons.push(`${shownNode(node)}: ${reasonOf(error)}`);
      }
    }
    const message = `No Sentinel names the master "${sentinel.master}" (${reasons.join('; ')})`;
    throw new PoolError('NO_MASTER', message);
  };
}

type Answer = { readonly host: string; readonly port: number } | { readonly refusal: string };

/** One Sentinel's answer. Rejects with the socket's error, or with its refusal. */
async function askForMaster(
  node: Address,
  { master, username, password }: Sentinel,
  timeoutMs: number,
): Promise<{ host: string; port: number }> {
  const login =
    password === undefined ? undefined : ['AUTH', ...(username === undefined ? [] : [username]), password];
  let heard = '';
  let take: (answer: Answer) => void = () => {};
  const buffer = Buffer.alloc(1024);
  const callback = (length: number): boolean => {
    heard += buffer.toString('latin1', 0, length);
    const answer = readAnswer(heard, login !== undefined);
    if (answer !== undefined) take(answer);
    return true;
  };
  const socket = await openSocket(node, { buffer, callback }, timeoutMs);
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      take = resolve;
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('it closed the connection without an answer')));
      socket.setTimeout(timeoutMs, () => reject(new Error(`no answer within ${Math.round(timeoutMs)} ms`)));
      if (login !== undefined) socket.write(encodeRequest(login));
      socket.write(encodeRequest(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]));
    });
    if ('refusal' in answer) throw new Error(answer.refusal);
    return answer;
  } finally {
    socket.destroy();
  }
}

/** Reads what has arrived so far; undefined while the answer is not there. */
function readAnswer(heard: string, afterLogin: boolean): Answer | undefined {
  const [, refusal] = /^-([^\r]*)\r\n/.exec(heard) ?? [];
  // What repeats its arguments could repeat the password.
  if (refusal !== undefined)
    return { refusal: /unknown command/i.test(refusal) ? 'it is no Sentinel' : refusal };
  if (heard !== '' && !/^[-+*$_]/.test(heard)) return { refusal: 'it does not speak the Redis protocol' };
  if (afterLogin) {
    return heard.startsWith('+OK\r\n') ? readAnswer(heard.slice('+OK\r\n'.length), false) : undefined;
  }
  if (/^(\*-1|\$-1|_)\r\n/.test(heard)) return { refusal: 'it knows no master of that name' };
  const [, host, port] = /^\*2\r\n\$\d+\r\n([^\r]+)\r\n\$\d+\r\n(\d+)\r\n/.exec(heard) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

/** The system's words lack the code of TLS errors, and what a refused connection means. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'nothing listens there (ECONNREFUSED)';
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}
