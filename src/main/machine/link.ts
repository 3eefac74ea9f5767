import { join } from 'node:path';
import { type Interfaces, listInterfaces } from '../local-addresses.ts';
import { type MachineRoot, readMachineFile } from './machine-files.ts';

/** A network interface, and what it has carried so far. */
export interface LinkReading {
  readonly name: string;
  /** Megabits a second in each direction. */
  readonly speedMbps: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Fraction of its speed that a link carried, in the busier direction, 0 to 1. */
interface LinkUse {
  readonly name: string;
  readonly speedMbps: number;
  readonly busyShare: number;
}

/**
 * The link behind a local address. Null if it is not known: loopback and most virtual interfaces have no speed.
 *
 * @param localAddress of a connection to the server; undefined: a unix socket, or none is open
 */
export function readLink(
  root: MachineRoot,
  localAddress: string | undefined,
  interfaces: Interfaces = listInterfaces(),
): LinkReading | null {
  const plain = localAddress?.replace(/^::ffff:/, '');
  const [name] =
    Object.entries(interfaces).find(([, addresses = []]) =>
      addresses.some(({ address, internal }) => address === plain && !internal),
    ) ?? [];
  if (name === undefined) return null;
  const read = (file: string) => {
    const text = readMachineFile(root, join('sys/class/net', name, file));
    return text === null ? Number.NaN : Number(text);
  };
  const link = {
    name,
    speedMbps: read('speed'),
    receivedBytes: read('statistics/rx_bytes'),
    sentBytes: read('statistics/tx_bytes'),
  };
  // −1: the driver does not know its speed.
  return link.speedMbps > 0 && Number.isFinite(link.receivedBytes + link.sentBytes) ? link : null;
}

/** What the link carried between two readings; null if it is not known. */
export function linkUse(
  before: LinkReading | null,
  after: LinkReading | null,
  elapsedNs: number,
): LinkUse | null {
  if (before === null || after === null || before.name !== after.name || elapsedNs <= 0) return null;
  const { name, speedMbps } = after;
  const bytes = Math.max(0, after.receivedBytes - before.receivedBytes, after.sentBytes - before.sentBytes);
  return { name, speedMbps, busyShare: (bytes * 8) / ((speedMbps * elapsedNs) / 1000) };
}
