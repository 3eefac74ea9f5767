import { connect, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { RequestParser } from '../../src/main/server/embedded/protocol.ts';
import { ownPort } from './ports.ts';
import { createRateGate } from './rate-gate.ts';

/** What a cut does with a connection: an orderly end, a reset, or silence while it stays open. */
type Cut = 'end' | 'reset' | 'silence';

/** A TCP proxy in front of a server, whose faults can be set at any time and hold for all of its connections. */
export interface TestProxy {
  readonly port: number;
  /** Held back on their way to the client: a number of milliseconds, or one drawn for each chunk. In order, always. */
  delayMs: number | (() => number);
  /** The first of all connections that is held back: those before it are not. */
  delayedFrom: number;
  /** Bytes in each write to the client, down to 1. */
  fragmentBytes: number;
  /** Swallows everything, both ways, and keeps connections open; those to come, too. */
  silent: boolean;
  /** Requests that are let through in a second, over all connections; infinite: as many as come. */
  requestsPerSecond: number;
  /** Called with each request and what lets it through, in the place of that rate. */
  admission: ((pass: () => void, request: readonly Buffer[]) => void) | undefined;
  /** Connections that clients have not ended, and all there ever were. */
  readonly open: number;
  readonly accepted: number;
  /** Ends (or resets, or silences) every connection that is open now. */
  cut(kind: Cut): void;
  /** Lets each open connection have this many more bytes of replies, and then cuts it. Resolves when all of them are cut. */
  cutAfter(replyBytes: number, kind: Cut): Promise<unknown>;
  /** Puts these bytes before the next replies to every client, as if the server had said them. */
  inject(bytes: Buffer): void;
  /** Stops listening: connects are refused. Open connections stay. */
  refuse(): Promise<void>;
  /** Listens again. */
  admit(): Promise<void>;
}

/** A connection of a client and the one to the server that belongs to it. */
interface Pair {
  /** How many connections there were before it. */
  readonly number: number;
  readonly client: Socket;
  readonly upstream: Socket;
  readonly requests: RequestParser;
  /** What still has to reach the client: bytes, or the end. In order, whatever the delays. */
  readonly queue: { readonly atMs: number; readonly bytes: Buffer | undefined }[];
  timer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  silent: boolean;
  /** The client has ended its side; a silent proxy never answers that. */
  left: boolean;
  budget: { bytes: number; readonly kind: Cut; readonly spent: () => void } | undefined;
  /** What the proxy is to say before the next replies. */
  injected: Buffer | undefined;
}

/**
 * A way to a server on which each reply takes some milliseconds, for closed loops whose load is not the point: at full
 * speed they would take the cores from the tests beside them. It ends with the test.
 *
 * @returns its URL
 */
export async function startSlowly(port: number, delayMs = 10): Promise<string> {
  const proxy = await startProxy(port);
  proxy.delayMs = delayMs;
  return `redis://127.0.0.1:${proxy.port}`;
}

/** Starts a proxy on a free loopback port; it ends with the test. */
/** @param targetPorts one server, or several to which connections are given in turn, as a load balancer does */
export async function startProxy(...targetPorts: readonly number[]): Promise<TestProxy> {
  const pairs = new Set<Pair>();
  const gate = createRateGate();
  let accepted = 0;
  const port = await ownPort();
  let server: Server;

  const listen = async () => {
    server = createServer({ noDelay: true, allowHalfOpen: true }, client => accept(client));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  };
  const unlisten = () => server.close();

  const proxy: TestProxy = {
    port,
    delayMs: 0,
    delayedFrom: 0,
    fragmentBytes: Number.POSITIVE_INFINITY,
    silent: false,
    get requestsPerSecond() {
      return gate.requestsPerSecond;
    },
    set requestsPerSecond(rate) {
      gate.requestsPerSecond = rate;
    },
    admission: undefined,
    get open() {
      return [...pairs].filter(pair => !pair.left).length;
    },
    get accepted() {
      return accepted;
    },
    cut(kind) {
      for (const pair of pairs) cut(pair, kind);
    },
    cutAfter(bytes, kind) {
      const cuts = [...pairs].map(
        pair =>
          new Promise<void>(spent => {
            pair.budget = { bytes, kind, spent };
          }),
      );
      return Promise.all(cuts);
    },
    inject(bytes) {
      for (const pair of pairs) pair.injected = bytes;
    },
    async refuse() {
      unlisten();
    },
    admit: listen,
  };

  function accept(client: Socket): void {
    const number = accepted++;
    const port = targetPorts[number % targetPorts.length] ?? 0;
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    const pair: Pair = {
      number,
      client,
      upstream,
      requests: new RequestParser(),
      queue: [],
      timer: undefined,
      silent: false,
      left: false,
      budget: undefined,
      injected: undefined,
    };
    pairs.add(pair);
    client.on('data', chunk => {
      if (proxy.silent || pair.silent) return;
      if (proxy.admission === undefined && gate.requestsPerSecond === Number.POSITIVE_INFINITY)
        upstream.write(chunk);
      else pair.requests.feed(chunk, request => passInTurn(pair, request));
    });
    client.on('end', () => {
      pair.left = true;
      upstream.destroy();
      if (!proxy.silent && !pair.silent) cut(pair, 'end');
    });
    upstream.on('data', chunk => enqueue(pair, chunk));
    upstream.on('end', () => enqueue(pair, undefined));
    // The server was killed, or is not there: its clients hear of it.
    upstream.on('error', () => {
      if (!proxy.silent && !pair.silent) cut(pair, 'reset');
    });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        if (socket === client) forget(pair);
      });
    }
  }

  function passInTurn(pair: Pair, request: readonly Buffer[]): void {
    const bytes = encodeRequest(request);
    const pass = () => {
      if (!pair.upstream.destroyed) pair.upstream.write(bytes);
    };
    if (proxy.admission === undefined) gate.enter(pass);
    else proxy.admission(pass, request);
  }

  function enqueue(pair: Pair, bytes: Buffer | undefined): void {
    const delayMs = typeof proxy.delayMs === 'number' ? proxy.delayMs : proxy.delayMs();
    const atMs = performance.now() + (pair.number < proxy.delayedFrom ? 0 : delayMs);
    if (pair.injected !== undefined) pair.queue.push({ atMs, bytes: pair.injected });
    pair.injected = undefined;
    if (bytes === undefined) pair.queue.push({ atMs, bytes });
    else {
      const size = Math.min(proxy.fragmentBytes, bytes.length);
      for (let at = 0; at < bytes.length; at += size)
        pair.queue.push({ atMs, bytes: bytes.subarray(at, at + size) });
    }
    if (pair.timer === undefined) pump(pair);
  }

  /** Sends what is due. Fragments leave in turns of the event loop, or the kernel would join them again. */
  function pump(pair: Pair): void {
    pair.timer = undefined;
    for (;;) {
      const next = pair.queue[0];
      if (next === undefined || pair.client.destroyed) return;
      const earlyMs = next.atMs - performance.now();
      if (earlyMs > 0) {
        pair.timer = setTimeout(() => pump(pair), earlyMs);
        return;
      }
      pair.queue.shift();
      if (next.bytes === undefined) cut(pair, 'end');
      else deliver(pair, next.bytes);
      if (proxy.fragmentBytes !== Number.POSITIVE_INFINITY) {
        pair.timer = setImmediate(() => pump(pair));
        return;
      }
    }
  }

  function deliver(pair: Pair, bytes: Buffer): void {
    if (proxy.silent || pair.silent) return;
    const { budget } = pair;
    const passed = budget === undefined ? bytes : bytes.subarray(0, budget.bytes);
    if (passed.length > 0) pair.client.write(passed);
    if (budget === undefined) return;
    budget.bytes -= passed.length;
    if (budget.bytes > 0) return;
    cut(pair, budget.kind);
    budget.spent();
  }

  function cut(pair: Pair, kind: Cut): void {
    if (kind === 'silence') pair.silent = true;
    else if (kind === 'end') pair.client.destroySoon();
    else {
      pair.silent = true;
      // What was written must have been read: a reset overtakes it, and libuv takes both at once for an orderly end. After
      // a stall it is read in the turn after the timer. And resetAndDestroy() alone would say goodbye first.
      const reset = () => Object.assign(pair.client, { resetAndClosing: true }).destroy();
      setTimeout(() => setImmediate(() => setImmediate(reset)), 5);
    }
    if (kind !== 'silence') pair.upstream.destroy();
  }

  function forget(pair: Pair): void {
    pairs.delete(pair);
    pair.queue.length = 0;
    pair.upstream.destroy();
  }

  await listen();
  onTestFinished(() => {
    gate.close();
    unlisten();
    for (const { client, upstream } of pairs) {
      client.destroy();
      upstream.destroy();
    }
  });
  return proxy;
}

function encodeRequest(parts: readonly Buffer[]): Buffer {
  const bulk = (part: Buffer) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')];
  return Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...parts.flatMap(bulk)]);
}
