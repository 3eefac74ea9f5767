import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Answers one request; calls `reply` at once, later or never. Replies must be given in order. */
type Script = (request: readonly string[], reply: (bytes: string | Buffer) => void, socket: Socket) => void;

/** A server of a few lines that does what a test says, for what no real server can be made to do. */
export async function startScriptedServer(script: Script): Promise<{ readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let unread = '';
    socket.on('data', chunk => {
      const parsed = parseRequests(unread + chunk.toString('latin1'));
      unread = parsed.rest;
      for (const request of parsed.requests) script(request, bytes => socket.write(bytes), socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port };
}

/** The whole requests in `text`, each an array of bulk strings, and what is left of an unfinished one. */
export function parseRequests(text: string): { requests: string[][]; rest: string } {
  const requests: string[][] = [];
  let rest = text;
  for (;;) {
    const request = parseRequest(rest);
    if (request === undefined) return { requests, rest };
    requests.push(request.words);
    rest = rest.slice(request.length);
  }
}

function parseRequest(text: string): { words: string[]; length: number } | undefined {
  const header = /^\*(\d+)\r\n/.exec(text);
  if (header === null) {
    if (text !== '' && !/^\*\d*\r?$/.test(text))
      throw new Error(`expected an array, found ${JSON.stringify(text)}`);
    return undefined;
  }
  const words: string[] = [];
  let at = header[0].length;
  for (let i = 0; i < Number(header[1]); i++) {
    const bulk = /^\$(\d+)\r\n/.exec(text.slice(at, at + 20));
    if (bulk === null) {
      if (!/^(\$\d*\r?)?$/.test(text.slice(at)))
        throw new Error(`expected a bulk string in ${JSON.stringify(text)}`);
      return undefined;
    }
    const start = at + bulk[0].length;
    const end = start + Number(bulk[1]);
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== '\r\n') throw new Error(`expected the bulk string to end at ${end}`);
    words.push(text.slice(start, end));
    at = end + 2;
  }
  return { words, length: at };
}
