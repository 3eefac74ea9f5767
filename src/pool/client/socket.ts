import type { Socket } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import { getSystemErrorName } from 'node:util';
import { type Address, socketPlace, type Trust, tlsOptions } from './address.ts';

/** Buffer and callback for reads, which bypass the buffers of the stream. */
type OnRead = NonNullable<net.TcpSocketConnectOpts['onread']>;

/** The read buffer of all sockets of a thread: a read is processed before the next one starts. */
export const received = Buffer.allocUnsafeSlow(64 * 1024);

/** Opens a TCP, TLS or unix socket. Rejects with the system's error, or with ETIMEDOUT after `timeoutMs`. */
export function openSocket(address: Address, onread: OnRead, timeoutMs: number): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const options = { ...socketPlace(address), onread };
    const socket = address.tls
      ? tls.connect({ ...options, ...tlsOptions(address), secureContext: contextOf(address.trust) })
      : net.connect(options);
    const timer = setTimeout(() => socket.destroy(connectTimeout(timeoutMs)), timeoutMs);
    const settle = (error?: Error) => {
      clearTimeout(timer);
      socket.removeListener('error', settle);
      if (error === undefined) resolve(socket);
      else reject(error);
    };
    socket.once('error', settle);
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      // Not an option above, because tls.connect() ignores it there.
      socket.setNoDelay(true);
      settle();
    });
  });
}

const systemTrust: Trust = {};
const contexts = new WeakMap<Trust, tls.SecureContext>();

/** Parses the PEM texts once: doing so for every attempt takes about half of the attempt's CPU time. */
function contextOf(trust: Trust = systemTrust): tls.SecureContext {
  const known = contexts.get(trust);
  if (known !== undefined) return known;
  const { ca, cert, key } = trust;
  const context = tls.createSecureContext({ ca, cert, key });
  contexts.set(trust, context);
  return context;
}

/** The error of a connection attempt that takes too long, with its login. */
export function connectTimeout(timeoutMs: number): Error {
  return Object.assign(new Error(`No connection within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}

/** Reads from and writes to a socket. */
export interface SocketOwner {
  /** Bytes were read, which are valid until it returns. */
  receive(bytes: Buffer, from: number, to: number): void;
  /** The system refused bytes, or failed to send them. */
  writeFailed(error: Error): void;
}

/** Node's own write request. One that was served at once can be used again. */
interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Referenced here, for the garbage collector, until the system has taken them. */
  bytes?: Buffer;
}

type OnHandleRead = (this: DirectHandle, bytes?: ArrayBuffer) => void;

const owner = Symbol('owner');
const passOn = Symbol('passOn');

/** Node's internal handle of a socket. */
export interface DirectHandle {
  onread: OnHandleRead;
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
  [owner]: SocketOwner;
  [passOn]: OnHandleRead;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

const binding = streamBinding();
const state = binding?.streamBaseState ?? new Int32Array(0);
const readBytesOrError = binding?.kReadBytesOrError ?? 0;
const lastWriteWasAsync = binding?.kLastWriteWasAsync ?? 0;

/** One for all sockets: a write that is served at once leaves it free, any other keeps it. */
let spareRequest: WriteRequest | undefined;

/**
 * Gives a connected socket an owner that reads and writes past its stream, for less CPU (docs/performance.md, "What paid").
 * Node does not document that. If the handle is not as expected, and with TLS, the result is undefined, and the owner has
 * to use the stream.
 */
export function openDirectly(socket: Socket, to: SocketOwner): DirectHandle | undefined {
  const handle = (socket as { _handle?: Partial<DirectHandle> })._handle;
  if (
    binding === undefined ||
    'encrypted' in socket ||
    typeof handle?.writeBuffer !== 'function' ||
    typeof handle.onread !== 'function'
  )
    return undefined;
  const direct = handle as DirectHandle;
  direct[owner] = to;
  direct[passOn] = direct.onread;
  direct.onread = onRead;
  return direct;
}

/**
 * @param onWritten called when the system has taken bytes for which it had no room at once, or has failed at that
 * @returns whether the system has taken all bytes, so that they can be used again at once
 */
export function writeDirectly(handle: DirectHandle, bytes: Buffer, onWritten?: () => void): boolean {
  spareRequest ??= newRequest();
  const status = handle.writeBuffer(spareRequest, bytes);
  if (status !== 0) writeFailed(handle, status);
  if (state[lastWriteWasAsync] === 0) return true;
  spareRequest.bytes = bytes;
  spareRequest.oncomplete = later => {
    onWritten?.();
    if (later < 0) writeFailed(handle, later);
  };
  spareRequest = undefined;
  return false;
}

/** Passes bytes to the owner; the end and errors to the stream. */
function onRead(this: DirectHandle, bytes?: ArrayBuffer): void {
  const length = state[readBytesOrError] as number;
  if (length > 0) this[owner].receive(received, 0, length);
  else this[passOn](bytes);
}

function writeFailed(handle: DirectHandle, status: number): void {
  handle[owner].writeFailed(systemError('write', status));
}

/** The error of a system call, as Node words it. */
export function systemError(call: string, status: number): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}`), { code });
}

function newRequest(): WriteRequest {
  return new (binding as StreamBinding).WriteWrap();
}

function streamBinding(): StreamBinding | undefined {
  try {
    const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
    const found = binding?.('stream_wrap') ?? {};
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found;
    if (
      typeof WriteWrap !== 'function' ||
      !(streamBaseState instanceof Int32Array) ||
      typeof kReadBytesOrError !== 'number' ||
      typeof kLastWriteWasAsync !== 'number'
    )
      return undefined;
    return { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync };
  } catch {
    return undefined;
  }
}
