import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** Hands bytes to a socket. True if the system has taken them all, so that they may be used again at once. */
export type Write = (bytes: Buffer) => boolean;

/** A request to write, of Node's own; one that was served at once can be used for the next. */
interface WriteRequest {
  oncomplete: (status: number) => void;
  /** Kept from the garbage collector while the system has not taken them. */
  bytes?: Buffer;
}

interface Handle {
  writeBuffer(request: WriteRequest, bytes: Buffer): number;
}

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Int32Array;
  readonly kLastWriteWasAsync: number;
}

/**
 * How bytes get from a connected socket to the system. A stream's own way takes about a fifth of all CPU that an
 * operation costs outside of the kernel (docs/performance.md), so it goes straight to the handle where this Node has one as
 * expected. That is not documented: anything else, TLS included, takes the stream's way.
 */
export function writerOf(socket: Socket): Write {
  const handle = (socket as { _handle?: Partial<Handle> })._handle;
  if (stream === undefined || 'encrypted' in socket || typeof handle?.writeBuffer !== 'function')
    return bytes => {
      socket.write(bytes);
      return socket.writableLength === 0;
    };
  return directWriter(socket, handle as Handle, stream);
}

function directWriter(
  socket: Socket,
  handle: Handle,
  { WriteWrap, streamBaseState, kLastWriteWasAsync }: StreamBinding,
): Write {
  const fail = (status: number) => {
    const code = getSystemErrorName(status);
    socket.destroy(Object.assign(new Error(`write ${code}`), { code }));
  };
  const newRequest = () => {
    const request = new WriteWrap();
    request.oncomplete = status => {
      if (status < 0) fail(status);
    };
    return request;
  };
  let request = newRequest();
  return bytes => {
    const status = handle.writeBuffer(request, bytes);
    if (status !== 0) fail(status);
    if (streamBaseState[kLastWriteWasAsync] === 0) return true;
    request.bytes = bytes;
    request = newRequest();
    return false;
  };
}

const stream = streamBinding();

function streamBinding(): StreamBinding | undefined {
  try {
    const { binding } = process as unknown as { binding?: (name: string) => Partial<StreamBinding> };
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = binding?.('stream_wrap') ?? {};
    if (
      typeof WriteWrap !== 'function' ||
      !(streamBaseState instanceof Int32Array) ||
      typeof kLastWriteWasAsync !== 'number'
    )
      return undefined;
    return { WriteWrap, streamBaseState, kLastWriteWasAsync };
  } catch {
    return undefined;
  }
}
