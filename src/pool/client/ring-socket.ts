import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { type DirectHandle, openDirectly, type SocketOwner, systemError, writeDirectly } from './socket.ts';

/**
 * The transport io_uring: an addon, native/ring.c, moves the bytes of all connections of a thread, with one system call and
 * one call of JavaScript for all that are ready. Less CPU than the handle below Node's stream (docs/performance.md), which
 * takes what the ring cannot: much at once, what waits for room in the socket, and the end of the connection.
 */

/** What native/ring.c exports. A number that is returned is 0, or a negative error of the system. */
interface Addon {
  readonly layout: Layout;
  probe(): number;
  open(
    received: Buffer,
    outgoing: Buffer,
    control: Uint8Array,
    onTurn: (completions: number) => void,
  ): number;
  add(slot: number, fd: number): number;
  arm(slot: number): void;
  stop(slot: number): void;
  remove(slot: number, fd: number): void;
}

/** Sizes and indices in the memory that both sides share. */
interface Layout {
  /** The number of buffers into which the kernel receives, and their bytes together. */
  readonly buffers: number;
  readonly receivedBytes: number;
  readonly controlWords: number;
  /** Control words: the numbers of queued sends, of sends that wait in libuv, and of sockets that wait for buffers. */
  readonly queued: number;
  readonly waiting: number;
  readonly starved: number;
  /** From here on: slot, offset and length of each queued send. */
  readonly sends: number;
  readonly sendWords: number;
  readonly maxSends: number;
  /** From here on: slot, result, offset in a buffer and kind of each completion. */
  readonly completions: number;
  readonly completionWords: number;
  /** Kinds: a receive, a receive that continues, a send with bytes left. Any other is the end of a connection. */
  readonly ofReceive: number;
  readonly ofReceiveMore: number;
  readonly ofSend: number;
}

/** What is used of Node's internal handle of a socket. */
interface RingHandle extends DirectHandle {
  readonly fd: number;
  readStart(): number;
  readStop(): number;
  close(onClosed?: () => void): void;
}

const ENOBUFS = -105;
const ECANCELED = -125;

/** Room for the sends of one turn. */
const outgoingBytes = 1 << 20;
/** A send of more costs less without the copy: a system call of its own. */
const maxCopiedBytes = 16 * 1024;

/** A connected socket whose bytes go through the ring. */
export class RingSocket {
  readonly slot: number;
  readonly socket: Socket;
  readonly owner: SocketOwner;
  readonly handle: RingHandle;
  readonly #ring: Ring;
  /** Where its last send was queued. If another slot's is there, or none, it has none in this turn. */
  entry: number;
  /** Writes for which libuv waits until there is room. As long as it does, nothing may go through the ring. */
  #waiting = 0;
  /** Whether the kernel receives for it. */
  receives = true;
  /** Whether the kernel watches for its end. */
  watched = true;
  closed = false;

  constructor(ring: Ring, slot: number, socket: Socket, handle: RingHandle, owner: SocketOwner) {
    this.#ring = ring;
    this.slot = slot;
    this.socket = socket;
    this.handle = handle;
    this.owner = owner;
    this.entry = ring.layout.sends;
  }

  /** @returns whether the bytes can be used again at once */
  write(bytes: Buffer): boolean {
    if (this.closed) return true;
    return (this.#waiting === 0 && this.#ring.queue(this, bytes)) || this.writePast(bytes);
  }

  /** Writes at once, behind what is queued in this turn. @returns whether the bytes can be used again at once */
  writePast(bytes: Buffer): boolean {
    const before = this.#ring.takeBack(this);
    if (before !== undefined) this.#writeNow(before);
    return this.#writeNow(bytes);
  }

  #writeNow(bytes: Buffer): boolean {
    const areFree = writeDirectly(this.handle, bytes, () => this.#countWaiting(-1));
    if (!areFree) this.#countWaiting(1);
    return areFree;
  }

  #countWaiting(change: number): void {
    this.#waiting += change;
    this.#ring.countWaiting(change);
  }
}

class Ring {
  readonly layout: Layout;
  readonly #addon: Addon;
  readonly #control: Int32Array;
  readonly #received: Buffer;
  readonly #outgoing = Buffer.allocUnsafeSlow(outgoingBytes);
  readonly #sockets: RingSocket[] = [];
  readonly #freeSlots: number[] = [];
  /** Sockets that have to receive again. */
  readonly #starved: RingSocket[] = [];
  /** Where the bytes of the next send go, unless it is the first of its turn. */
  #filled = 0;
  /** Sockets that are not closed. */
  open = 0;

  /** @throws Error if the kernel refuses it */
  constructor(addon: Addon) {
    this.layout = addon.layout;
    this.#addon = addon;
    this.#control = new Int32Array(this.layout.controlWords);
    this.#received = Buffer.allocUnsafeSlow(this.layout.receivedBytes);
    const control = new Uint8Array(this.#control.buffer);
    const status = addon.open(this.#received, this.#outgoing, control, count => this.#takeTurn(count));
    if (status !== 0) throw systemError('io_uring_setup', status);
  }

  /** @throws Error if the kernel refuses it, or the handle is not as expected */
  add(socket: Socket, owner: SocketOwner): RingSocket {
    const handle = openDirectly(socket, owner) as RingHandle | undefined;
    if (handle === undefined) throw new Error('Expected an open socket of Node without TLS for io_uring');
    const slot = this.#freeSlots.pop() ?? this.#sockets.length;
    const added = new RingSocket(this, slot, socket, handle, owner);
    handle.readStop();
    const status = this.#addon.add(slot, handle.fd);
    if (status !== 0) {
      this.#freeSlots.push(slot);
      throw systemError('io_uring_register', status);
    }
    this.#sockets[slot] = added;
    this.open++;
    const { close } = handle;
    // At once: an event of the socket comes later, and until then replies would.
    handle.close = onClosed => {
      this.#close(added);
      close.call(handle, onClosed);
    };
    return added;
  }

  /** Counts the writes that wait in libuv: as long as there are any, the thread waits there. */
  countWaiting(change: number): void {
    (this.#control[this.layout.waiting] as number) += change;
  }

  /** Copies bytes to be sent with this turn, behind those that it already sends there. @returns false if there is no room */
  queue(socket: RingSocket, bytes: Buffer): boolean {
    const control = this.#control;
    const { queued, sends, sendWords, maxSends } = this.layout;
    const count = control[queued] as number;
    const before = this.#queuedFor(socket);
    const bytesBefore = before === undefined ? 0 : (control[before + 2] as number);
    const at = count === 0 ? 0 : this.#filled;
    const length = bytesBefore + bytes.length;
    if (length > maxCopiedBytes || at + length > outgoingBytes || count === maxSends) return false;
    if (before !== undefined) {
      const from = control[before + 1] as number;
      this.#outgoing.copyWithin(at, from, from + bytesBefore);
      control[before] = -1;
    }
    this.#outgoing.set(bytes, at + bytesBefore);
    this.#filled = at + length;
    const entry = sends + sendWords * count;
    control[entry] = socket.slot;
    control[entry + 1] = at;
    control[entry + 2] = length;
    control[queued] = count + 1;
    socket.entry = entry;
    return true;
  }

  /** Removes what is queued for a socket in this turn. @returns a copy of it; undefined if there is nothing */
  takeBack(socket: RingSocket): Buffer | undefined {
    const entry = this.#queuedFor(socket);
    if (entry === undefined) return undefined;
    this.#control[entry] = -1;
    const from = this.#control[entry + 1] as number;
    return Buffer.from(this.#outgoing.subarray(from, from + (this.#control[entry + 2] as number)));
  }

  /** The socket's entry in this turn's sends, of which it has one at most. */
  #queuedFor({ entry, slot }: RingSocket): number | undefined {
    const { queued, sends, sendWords } = this.layout;
    const end = sends + sendWords * (this.#control[queued] as number);
    return entry < end && this.#control[entry] === slot ? entry : undefined;
  }

  #takeTurn(count: number): void {
    const control = this.#control;
    const { completions, completionWords, ofReceive, ofReceiveMore, ofSend } = this.layout;
    const end = completions + completionWords * count;
    for (let entry = completions; entry < end; entry += completionWords) {
      const socket = this.#sockets[control[entry] as number] as RingSocket;
      const result = control[entry + 1] as number;
      const offset = control[entry + 2] as number;
      const kind = control[entry + 3] as number;
      if (kind === ofReceive || kind === ofReceiveMore) {
        if (result > 0 && !socket.closed) socket.owner.receive(this.#received, offset, offset + result);
        if (kind === ofReceive) this.#receivedLast(socket, result);
      } else if (kind === ofSend) this.#sentInPart(socket, result, offset);
      else this.#hungUp(socket);
    }
    if (this.#starved.length > 0) this.#feed();
  }

  /** Lets as many sockets receive again as there are buffers; for more of them receiving would only end anew. */
  #feed(): void {
    for (const socket of this.#starved.splice(0, this.layout.buffers)) {
      socket.receives = socket.watched && !socket.closed;
      if (socket.receives) this.#addon.arm(socket.slot);
    }
    this.#control[this.layout.starved] = this.#starved.length;
  }

  /** The kernel has no room for the last bytes of a send, or has failed at it. Of a turn's completions these come first. */
  #sentInPart(socket: RingSocket, result: number, offset: number): void {
    if (socket.closed) return;
    if (result < 0) socket.owner.writeFailed(systemError('write', result));
    else socket.writePast(Buffer.from(this.#outgoing.subarray(offset, offset + result)));
  }

  /** The kernel has stopped receiving for the socket: it has to start again, or the socket has ended. */
  #receivedLast(socket: RingSocket, result: number): void {
    const isWell = result > 0 || result === ENOBUFS;
    socket.receives = false;
    if (socket.closed) this.#release(socket);
    else if (isWell && socket.watched) this.#starved.push(socket);
    else if (isWell || result === 0 || result === ECANCELED) socket.handle.readStart();
    else socket.socket.destroy(systemError('read', result));
  }

  /**
   * The connection has ended, which its receive may not have noticed and never would. The stream reads what is left, and the
   * end once more, and closes.
   */
  #hungUp(socket: RingSocket): void {
    socket.watched = false;
    if (socket.closed) this.#release(socket);
    else if (socket.receives) this.#addon.stop(socket.slot);
    else socket.handle.readStart();
  }

  #close(socket: RingSocket): void {
    if (socket.closed) return;
    socket.closed = true;
    this.takeBack(socket);
    this.open--;
    this.#addon.remove(socket.slot, socket.handle.fd);
    this.#release(socket);
  }

  /** Lets another socket have the slot, once nothing more can come for this one. */
  #release({ receives, watched, slot }: RingSocket): void {
    if (!receives && !watched) this.#freeSlots.push(slot);
  }
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const load = createRequire(import.meta.url);

/** The file of the addon that native/build.mjs makes from this version's source, whether it exists or not. */
function addonFile(): string {
  return (load('../../../native/addon-file.cjs') as { addonFile(): string }).addonFile();
}

/** One for all connections of a thread. */
let ring: Ring | undefined;

/**
 * Gives a connected socket without TLS an owner that reads and writes through the thread's ring.
 *
 * @throws Error if the addon is not built, or the kernel refuses it. The socket is destroyed.
 */
export function openRing(socket: Socket, owner: SocketOwner): RingSocket {
  try {
    ring ??= new Ring(load(addonFile()) as Addon);
    return ring.add(socket, owner);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Whether this thread waits for replies in the ring instead of the event loop. */
export function waitsInRing(): boolean {
  return ring !== undefined && ring.open > 0;
}

/** Why connections cannot use io_uring here, and what to do; undefined if they can. */
export function whyNoRing(): string | undefined {
  if (process.platform !== 'linux') return `it needs Linux, and this is ${process.platform}`;
  const build = `run "npm run build:native" in ${root}`;
  let status: number;
  try {
    const file = addonFile();
    if (!existsSync(file)) return `its addon is not built: ${build}`;
    status = (load(file) as Addon).probe();
  } catch (error) {
    const [why] = String(error).split('\n');
    return `its addon cannot be loaded (${why}): ${build}`;
  }
  if (status === 0) return undefined;
  const code = getSystemErrorName(status);
  if (code === 'EPERM')
    return 'this process may not use it (EPERM): a container needs a seccomp profile that allows it (docs/docker.md), and "sysctl kernel.io_uring_disabled" must be 0 on the host';
  return code === 'ENOSYS' || code === 'EINVAL'
    ? `the kernel is too old, or was built without it (${code}): it needs Linux 6.1 or later`
    : `the kernel refuses it (${code})`;
}
