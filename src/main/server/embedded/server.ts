import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { RespSyntaxError } from '../../../pool/client/resp-values.ts';
import { loopbackAddress } from '../../local-addresses.ts';
import { keyCommands } from './key-commands.ts';
import { encodeReply, type Reply, RequestParser } from './protocol.ts';
import { serverCommands } from './server-commands.ts';
import type { Command, ServerState, Session } from './state.ts';
import { Database } from './state.ts';

const commands = new Map<string, Command>(Object.entries({ ...keyCommands, ...serverCommands }));

interface EmbeddedOptions {
  /** 0: one of the system's choice. */
  readonly port: number;
  readonly maxClients?: number;
}

/**
 * The server of last resort: enough of the Redis protocol for poolbench's own load, in memory, on loopback, so that a
 * machine without a server can still show how everything works. Its figures say nothing about any real server.
 * @returns the listening server and its port
 */
export async function listenEmbedded(options: EmbeddedOptions): Promise<{ server: Server; port: number }> {
  const state: ServerState = {
    databases: Array.from({ length: 16 }, () => new Database()),
    sessions: new Map(),
    calls: new Map(),
    maxClients: options.maxClients ?? 10_000,
    startedAt: Date.now(),
    version: '1',
    port: options.port,
  };
  let connections = 0;
  const server = createServer({ noDelay: true }, socket => {
    connections += 1;
    serve(state, socket, connections);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, host: loopbackAddress(), backlog: 4096 }, resolve);
  });
  state.port = (server.address() as AddressInfo).port;
  return { server, port: state.port };
}

function serve(state: ServerState, socket: Socket, id: number): void {
  // A client that goes away is no error of the server's.
  socket.on('error', () => {});
  if (state.sessions.size >= state.maxClients) {
    socket.end('-ERR max number of clients reached\r\n');
    return;
  }
  const session: Session = {
    id,
    address: `${socket.remoteAddress}:${socket.remotePort}`,
    name: '',
    protocol: 2,
    database: 0,
    closing: false,
  };
  state.sessions.set(id, session);
  socket.on('close', () => state.sessions.delete(id));
  const parser = new RequestParser();
  socket.on('data', chunk => {
    const out: Buffer[] = [];
    try {
      parser.feed(chunk, request => {
        // The reply is encoded as the connection speaks after the command: HELLO answers in the version it switches to.
        if (!session.closing) encodeReply(execute(state, session, request), session.protocol, out);
      });
    } catch (error) {
      if (!(error instanceof RespSyntaxError)) throw error;
      encodeReply({ error: `ERR Protocol error: expected ${error.expected}, got ${error.found}` }, 2, out);
      session.closing = true;
    }
    // One write for all replies to what one read brought.
    if (out.length > 0) socket.write(Buffer.concat(out));
    if (session.closing) socket.end();
    else if (socket.writableNeedDrain) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  });
}

function execute(state: ServerState, session: Session, request: readonly Buffer[]): Reply {
  const [first, ...args] = request;
  const given = first?.toString('latin1') ?? '';
  const name = given.toLowerCase();
  const command = commands.get(name);
  if (command === undefined) {
    const shown = args.map(arg => `'${arg.toString('latin1', 0, 128)}' `).join('');
    return {
      error: `ERR unknown command '${given.slice(0, 128)}', with args beginning with: ${shown.slice(0, 128)}`,
    };
  }
  const [min, max] = command.arity;
  if (args.length < min || args.length > max) {
    return { error: `ERR wrong number of arguments for '${name}' command` };
  }
  state.calls.set(name, (state.calls.get(name) ?? 0) + 1);
  const database = state.databases[session.database];
  if (database === undefined) return { error: 'ERR DB index is out of range' };
  return command.run({ state, session, database, args });
}
