import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import type { SocketOwner } from './socket.ts';

/**
 * The transport io_uring: an addon, native/ring.c, moves the bytes of all connections of a thread, with one system call and
 * one call of JavaScript for all that are ready. Less CPU than the handle below Node's stream (docs/performance.md).
 */

/** The functions of native/ring.c. A number that is returned is 0, or a negative error of the system. */
interface Addon {
  probe(): number;
  open(
    received: Buffer,
    bufferCount: number,
    bufferBytes: number,
    outgoing: Buffer,
    control: Uint8Array,
    onTurn: (completions: number) => void,
  ): number;
  add(slot: number, fd: number): number;
  arm(slot: number): number;
  stop(slot: number): number;
  remove(slot: number): void;
  sendKept(slot: number, bytes: Buffer): number;
}

/** What is used of Node's internal handle of a socket. */
interface PausableHandle {
  readonly fd: number;
  readStart(): number;
  readStop(): number;
}

// The words that both sides share, as native/ring.c has them.
const queued = 0;
const turn = 1;
const sends = 16;
const maxSends = 16_384;
const completions = sends + 3 * maxSends;
const maxCompletions = 4096;
const controlWords = completions + 4 * maxCompletions;
/** The last word of a completion. */
const hasMore = 1;
const sendLeft = 2;
const keptDone = 4;
const hungUp = 5;

const EAGAIN = -11;
const ENOBUFS = -105;
const ECANCELED = -125;

/** Buffers for replies. If more arrive in one turn, receiving starts anew in the next. */
const bufferCount = 256;
/** Not a power of two: the beginnings of buffers must not compete for the same lines of the cache. */
const bufferBytes = 16 * 1024 + 64;
/** Sends of one turn are in one half of the buffer, those of the next turn in the other. */
const halfBytes = 1 << 20;

/** A connected socket whose bytes go through the ring. */
export class RingSocket {
  readonly slot: number;
  readonly socket: Socket;
  readonly owner: SocketOwner;
  readonly #ring: Ring;
  /** The turn for which a send is queued. A second one could overtake it, if the kernel takes the first in part. */
  #sentIn = -1;
  /** The turn in which it was told to receive again. */
  #armedIn = -1;
  /** What waits until the kernel has taken the bytes before. */
  #later: Buffer[] = [];
  /** The send that waits in the kernel. */
  #kept: Buffer | undefined;
  /** Whether the kernel receives for it. */
  receives = true;
  /** Whether the kernel watches for its end. */
  watched = true;
  closed = false;

  constructor(ring: Ring, slot: number, socket: Socket, owner: SocketOwner) {
    this.#ring = ring;
    this.slot = slot;
    this.socket = socket;
    this.owner = owner;
  }

  /** Whether nothing more can come for it from the kernel, so that another socket can have its slot. */
  get ended(): boolean {
    const isLeft = !this.receives && !this.watched;
    return this.closed && isLeft && this.#kept === undefined && this.#sentIn !== this.#ring.turn;
  }

  /** The bytes can be used again at once. */
  write(bytes: Buffer): void {
    const now = this.#ring.turn;
    // A receive that was submitted together with a send completes before it, though the send may have something left.
    const isSettled = this.#sentIn !== now && this.#armedIn !== now - 1;
    const isFirst = isSettled && this.#kept === undefined && this.#later.length === 0;
    if (isFirst && this.#ring.queue(this.slot, bytes)) this.#sentIn = now;
    else {
      this.#later.push(Buffer.from(bytes));
      this.#ring.resume(this);
    }
  }

  /** The kernel has taken a part of a send, or nothing. */
  keep(result: number, rest: Buffer): void {
    if (result < 0 && result !== EAGAIN) this.failed(result);
    else {
      this.#later.unshift(Buffer.from(rest));
      this.#ring.resume(this);
    }
  }

  /** Sends what waits, in one piece, and leaves it to the kernel to wait for room. */
  resume(): void {
    if (this.#later.length === 0 || this.#kept !== undefined || this.closed) return;
    // Not yet, while a send before it is queued.
    if (this.#sentIn === this.#ring.turn) {
      this.#ring.resume(this);
      return;
    }
    this.#kept = Buffer.concat(this.#later);
    this.#later = [];
    const status = this.#ring.addon.sendKept(this.slot, this.#kept);
    if (status === 0) return;
    this.#kept = undefined;
    this.failed(status);
  }

  /** The kernel has taken a send that waited, or has failed at it. */
  keptDone(result: number): void {
    const rest = this.#kept?.subarray(Math.max(0, result));
    this.#kept = undefined;
    if (result < 0) this.failed(result);
    else if (rest !== undefined && rest.length > 0) this.keep(result, rest);
    else this.resume();
  }

  /** Receives again. @returns 0, or a negative error of the system */
  arm(): number {
    this.#armedIn = this.#ring.turn;
    return this.#ring.addon.arm(this.slot);
  }

  failed(status: number): void {
    if (!this.closed) this.owner.writeFailed(errorOf('write', status));
  }
}

class Ring {
  readonly addon: Addon;
  readonly #control = new Int32Array(controlWords);
  readonly #received = Buffer.allocUnsafeSlow(bufferCount * bufferBytes);
  readonly #outgoing = Buffer.allocUnsafeSlow(2 * halfBytes);
  readonly #sockets: RingSocket[] = [];
  readonly #freeSlots: number[] = [];
  /** Sockets with bytes that wait. */
  #waiting: RingSocket[] = [];
  /** Where the bytes of the next send go, in the half of that turn. */
  #filled = 0;
  #filledIn = -1;
  /** Sockets that are not closed. */
  open = 0;

  /** @throws Error if the kernel refuses it */
  constructor(addon: Addon) {
    this.addon = addon;
    const control = new Uint8Array(this.#control.buffer);
    const onTurn = (count: number) => this.#takeTurn(count);
    const status = addon.open(this.#received, bufferCount, bufferBytes, this.#outgoing, control, onTurn);
    if (status !== 0) throw errorOf('io_uring_setup', status);
  }

  /** Counts the submissions to the kernel. */
  get turn(): number {
    return this.#control[turn] as number;
  }

  /** @throws Error if the kernel refuses it */
  add(socket: Socket, owner: SocketOwner): RingSocket {
    const handle = handleOf(socket);
    const slot = this.#freeSlots.pop() ?? this.#sockets.length;
    const added = new RingSocket(this, slot, socket, owner);
    this.#sockets[slot] = added;
    handle?.readStop();
    const status = this.addon.add(slot, handle?.fd ?? -1);
    if (status !== 0) throw errorOf('io_uring_register', status);
    this.open++;
    socket.once('close', () => {
      added.closed = true;
      this.open--;
      this.addon.remove(slot);
      this.#release(added);
    });
    return added;
  }

  /** Copies the bytes of a send of this turn. @returns false if there is no room */
  queue(slot: number, bytes: Buffer): boolean {
    const control = this.#control;
    const half = ((control[turn] as number) & 1) * halfBytes;
    if (control[turn] !== this.#filledIn) {
      this.#filledIn = control[turn] as number;
      this.#filled = half;
    }
    const at = this.#filled;
    const count = control[queued] as number;
    if (at + bytes.length > half + halfBytes || count === maxSends) return false;
    this.#outgoing.set(bytes, at);
    this.#filled = at + bytes.length;
    const entry = sends + 3 * count;
    control[entry] = slot;
    control[entry + 1] = at;
    control[entry + 2] = bytes.length;
    control[queued] = count + 1;
    return true;
  }

  /** Lets a socket send what waits, once this turn is over. */
  resume(socket: RingSocket): void {
    if (this.#waiting.length === 0)
      setImmediate(() => {
        for (const waiting of this.#waiting.splice(0)) waiting.resume();
      });
    this.#waiting.push(socket);
  }

  #takeTurn(count: number): void {
    const control = this.#control;
    for (let entry = completions; entry < completions + 4 * count; entry += 4) {
      const socket = this.#sockets[control[entry] as number] as RingSocket;
      const result = control[entry + 1] as number;
      const offset = control[entry + 2] as number;
      const kind = control[entry + 3] as number;
      if ((kind & ~hasMore) === 0) {
        if (result > 0 && !socket.closed) socket.owner.receive(this.#received, offset, offset + result);
        if (kind !== hasMore) this.#receivedLast(socket, result);
      } else if (kind === keptDone) socket.keptDone(result);
      else if (kind === hungUp) this.#hungUp(socket);
      else if ((kind & sendLeft) !== 0 && !socket.closed)
        socket.keep(result, this.#outgoing.subarray(offset + Math.max(0, result), offset + (kind >> 3)));
    }
  }

  /** The kernel has stopped receiving for the socket: it has to start again, or the socket has ended. */
  #receivedLast(socket: RingSocket, result: number): void {
    const isWell = result > 0 || result === ENOBUFS;
    const goesOn = isWell && socket.watched && !socket.closed;
    const status = goesOn ? socket.arm() : result;
    if (goesOn && status === 0) return;
    socket.receives = false;
    if (socket.closed) return;
    // The stream reads what is left, and the end once more, and closes.
    if (status === 0 || isWell || status === ECANCELED) handleOf(socket.socket)?.readStart();
    else socket.socket.destroy(errorOf('read', status));
  }

  /** The connection has ended, which its receive may not have noticed and never would: from now on the stream reads. */
  #hungUp(socket: RingSocket): void {
    socket.watched = false;
    if (socket.closed || !socket.receives) return;
    const status = this.addon.stop(socket.slot);
    if (status !== 0) socket.socket.destroy(errorOf('read', status));
  }

  /** Lets another socket have the slot, once nothing more can come for this one. */
  #release(socket: RingSocket): void {
    if (socket.ended) this.#freeSlots.push(socket.slot);
    else setImmediate(() => this.#release(socket));
  }
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const load = createRequire(import.meta.url);

/** Where native/build.mjs writes the addon: an addon of another version has another name, and is not loaded. */
function addonFile(): string {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'native/ring.c')))
    .digest('hex')
    .slice(0, 12);
  const [uv] = process.versions.uv.split('.');
  return join(root, 'prebuilds', `${process.platform}-${process.arch}`, `ring-${hash}.uv${uv}.node`);
}

/** One for all connections of a thread. */
let ring: Ring | undefined;

/**
 * Gives a connected socket without TLS an owner that reads and writes through the thread's ring.
 *
 * @throws Error if the addon is not built, or the kernel refuses it
 */
export function openRing(socket: Socket, owner: SocketOwner): RingSocket {
  if ('encrypted' in socket) throw new Error('Expected a socket without TLS for io_uring');
  ring ??= new Ring(load(addonFile()) as Addon);
  return ring.add(socket, owner);
}

/** Whether this thread waits for replies in the ring instead of the event loop. */
export function waitsInRing(): boolean {
  return ring !== undefined && ring.open > 0;
}

/** Why connections cannot use io_uring here, and what to do; undefined if they can. */
export function whyNoRing(): string | undefined {
  if (process.platform !== 'linux') return `only Linux has it, and this is ${process.platform}`;
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
    return 'this process may not use it (EPERM): a container needs a seccomp profile that allows it (docs/docker.md), and "sysctl kernel.io_uring_disabled" must be 0';
  return code === 'ENOSYS' || code === 'EINVAL'
    ? `the kernel does not have it, or an older one (${code}): it needs Linux 6.1`
    : `the kernel refuses it (${code})`;
}

function handleOf(socket: Socket): PausableHandle | undefined {
  return (socket as unknown as { _handle?: PausableHandle })._handle;
}

function errorOf(call: string, status: number): Error {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}`), { code });
}
