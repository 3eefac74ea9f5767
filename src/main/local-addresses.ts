import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

export type Interfaces = ReturnType<typeof networkInterfaces>;

/** The network interfaces of this machine. None where the system refuses to list them, as in some sandboxes. */
export function listInterfaces(): Interfaces {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}

/**
 * Where everything listens that poolbench starts for itself: 127.0.0.1, or ::1 on a machine that has only IPv6.
 *
 * @param interfaces those of this machine unless given
 */
export function loopbackAddress(interfaces: Interfaces = listInterfaces()): '127.0.0.1' | '::1' {
  const addresses = addressesOf(interfaces);
  return addresses.includes('::1') && !addresses.some(isIPv4Loopback) ? '::1' : '127.0.0.1';
}

/** Whether a host is this machine on every machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || isIPv4Loopback(host);
}

/** Whether a host is this machine. */
export function isOwnAddress(host: string): boolean {
  return isLoopback(host) || addressesOf(listInterfaces()).includes(host);
}

function isIPv4Loopback(host: string): boolean {
  return isIPv4(host) && host.startsWith('127.');
}

function addressesOf(interfaces: Interfaces): string[] {
  return Object.values(interfaces).flatMap((list = []) => list.map(({ address }) => address));
}
