import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { SocketOwner } from './socket.ts';

/** The transport io_uring, for an experiment: native/ring.c moves the bytes of all connections of a thread. */

interface Native {
  open(
    received: Buffer,
    bufferCount: number,
    bufferBytes: number,
    outgoing: Buffer,
    control: Int32Array,
    onTurn: (completions: number) => void,
  ): number;
  add(slot: number, fd: number): number;
  arm(slot: number): void;
  remove(slot: number): void;
  sendKept(slot: number, bytes: Buffer): boolean;
}

/** What is used of Node's internal handle of a socket. */
interface PausableHandle {
  readonly fd: number;
  readStart(): number;
  readStop(): number;
}

// The control words, as native/ring.c has them.
const queued = 0;
const turn = 1;
const mode = 2;
const sends = 16;
const maxSends = 16_384;
const completions = sends + 3 * maxSends;
const maxCompletions = 4096;
const controlWords = completions + 4 * maxCompletions;
/** The last word of a completion. */
const hasMore = 1;
const sendLeft = 2;
const keptDone = 4;

const [ENOBUFS, EAGAIN] = [-105, -11];

const bufferCount = Number(process.env['RING_BUFFERS'] ?? 256);
/** Not a power of two: the beginnings of buffers must not compete for the same lines of the cache. */
const bufferBytes = Number(process.env['RING_BUFFER_BYTES'] ?? 16_384) + 64;
/** Sends of one turn are in one half of the buffer, those of the next turn in the other. */
const halfBytes = 1 << 20;

/** A connected socket whose bytes go through the ring. */
export class RingSocket {
  readonly slot: number;
  readonly socket: Socket;
  readonly owner: SocketOwner;
  readonly #ring: Ring;
  /** The turn for which a send is queued; another one would overtake it if the kernel takes the first one in part. */
  #sentIn = -1;
  /** What has to wait until the kernel has taken the bytes before; undefined if nothing waits. */
  #later: Buffer[] | undefined;
  #keptInKernel = false;
  receives = true;
  closed = false;

  constructor(ring: Ring, slot: number, socket: Socket, owner: SocketOwner) {
    this.#ring = ring;
    this.slot = slot;
    this.socket = socket;
    this.owner = owner;
  }

  /** @returns true: the bytes can be used again at once */
  write(bytes: Buffer): boolean {
    const ring = this.#ring;
    const now = ring.control[turn] as number;
    if (this.#later !== undefined || this.#keptInKernel || this.#sentIn === now) this.#keep(Buffer.from(bytes));
    else if (ring.queue(this.slot, bytes)) this.#sentIn = now;
    else this.#keep(Buffer.from(bytes));
    return true;
  }

  /** The kernel has taken none or a part of a send. */
  sendLeft(result: number, rest: Buffer): void {
    if (this.closed) return;
    if (result < 0 && result !== EAGAIN) this.#failed(result);
    else {
      this.#later ??= [];
      this.#later.unshift(Buffer.from(rest));
      this.#ring.resume(this);
    }
  }

  keptDone(result: number): void {
    this.#keptInKernel = false;
    if (this.closed) return;
    if (result < 0) this.#failed(result);
    else if (this.#later !== undefined) this.goOn();
  }

  /** Sends what waits, in one piece. */
  goOn(): void {
    const later = this.#later;
    if (later === undefined || this.#keptInKernel || this.closed) return;
    this.#later = undefined;
    this.#keptInKernel = this.#ring.native.sendKept(this.slot, Buffer.concat(later));
    if (!this.#keptInKernel) this.#failed(ENOBUFS);
  }

  #keep(bytes: Buffer): void {
    if (this.#later === undefined) this.#later = [bytes];
    else this.#later.push(bytes);
    this.#ring.resume(this);
  }

  #failed(status: number): void {
    const code = getSystemErrorName(status);
    this.owner.writeFailed(Object.assign(new Error(`write ${code}`), { code }));
  }
}

class Ring {
  readonly native: Native;
  readonly control = new Int32Array(controlWords);
  readonly #received = Buffer.allocUnsafeSlow(bufferCount * bufferBytes);
  readonly #outgoing = Buffer.allocUnsafeSlow(2 * halfBytes);
  readonly #sockets: RingSocket[] = [];
  readonly #freeSlots: number[] = [];
  /** Sockets with bytes that wait for the next turn. */
  #waiting: RingSocket[] = [];
  #filled = 0;
  #filledIn = -1;

  constructor(native: Native) {
    this.native = native;
    this.control[mode] = Number(process.env['RING_MODE'] ?? 0);
    const status = native.open(
      this.#received,
      bufferCount,
      bufferBytes,
      this.#outgoing,
      Buffer.from(this.control.buffer) as unknown as Int32Array,
      count => this.#takeTurn(count),
    );
    if (status !== 0) throw new Error(`io_uring: ${getSystemErrorName(status)}`);
  }

  add(socket: Socket, owner: SocketOwner): RingSocket {
    const handle = (socket as unknown as { _handle: PausableHandle })._handle;
    const slot = this.#freeSlots.pop() ?? this.#sockets.length;
    const added = new RingSocket(this, slot, socket, owner);
    this.#sockets[slot] = added;
    handle.readStop();
    const status = this.native.add(slot, handle.fd);
    if (status !== 0) throw new Error(`io_uring: ${getSystemErrorName(status)}`);
    socket.once('close', () => {
      added.closed = true;
      this.native.remove(slot);
      if (!added.receives) this.#freeSlots.push(slot);
    });
    return added;
  }

  /** @returns false if there is no room in this turn */
  queue(slot: number, bytes: Buffer): boolean {
    const { control } = this;
    const now = control[turn] as number;
    if (now !== this.#filledIn) {
      this.#filledIn = now;
      this.#filled = (now & 1) * halfBytes;
    }
    const at = this.#filled;
    const length = bytes.length;
    const count = control[queued] as number;
    if (at + length > ((now & 1) + 1) * halfBytes || count === maxSends) return false;
    this.#outgoing.set(bytes, at);
    this.#filled = at + length;
    const entry = sends + 3 * count;
    control[entry] = slot;
    control[entry + 1] = at;
    control[entry + 2] = length;
    control[queued] = count + 1;
    return true;
  }

  /** Lets the socket go on in the next turn. */
  resume(socket: RingSocket): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#resumeAll());
    this.#waiting.push(socket);
  }

  #resumeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const socket of waiting) socket.goOn();
  }

  #takeTurn(count: number): void {
    const { control } = this;
    const received = this.#received;
    for (let i = 0, entry = completions; i < count; i++, entry += 4) {
      const socket = this.#sockets[control[entry] as number] as RingSocket;
      const result = control[entry + 1] as number;
      const kind = control[entry + 3] as number;
      if (kind === hasMore && result > 0 && !socket.closed) {
        const at = control[entry + 2] as number;
        socket.owner.receive(received, at, at + result);
      } else this.#takeRare(socket, result, control[entry + 2] as number, kind);
    }
  }

  #takeRare(socket: RingSocket, result: number, offset: number, kind: number): void {
    if (kind === keptDone) socket.keptDone(result);
    else if ((kind & sendLeft) !== 0) {
      const end = offset + (kind >> 3);
      socket.sendLeft(result, this.#outgoing.subarray(offset + Math.max(0, result), end));
    } else this.#receivedLast(socket, result, offset, kind);
  }

  /** The kernel receives no more for the socket: it has to be armed again, or has ended. */
  #receivedLast(socket: RingSocket, result: number, offset: number, kind: number): void {
    if (result > 0 && !socket.closed) socket.owner.receive(this.#received, offset, offset + result);
    if (kind === hasMore) return;
    if (socket.closed) {
      this.#freeSlots.push(socket.slot);
    } else if (result > 0 || result === ENOBUFS) {
      this.native.arm(socket.slot);
    } else {
      socket.receives = false;
      // The end is still there for the stream to read.
      if (result === 0) (socket.socket as unknown as { _handle?: PausableHandle })._handle?.readStart();
      else {
        const code = getSystemErrorName(result);
        socket.socket.destroy(Object.assign(new Error(`read ${code}`), { code }));
      }
    }
  }
}

const wanted = process.env['POOLBENCH_TRANSPORT'] === 'io_uring';
let ring: Ring | undefined;

/** Gives a connected socket an owner that reads and writes through the thread's ring. */
export function openRing(socket: Socket, owner: SocketOwner): RingSocket | undefined {
  if (!wanted || 'encrypted' in socket) return undefined;
  const file = new URL('../../../native/ring.node', import.meta.url).pathname;
  ring ??= new Ring(createRequire(import.meta.url)(file) as Native);
  return ring.add(socket, owner);
}
