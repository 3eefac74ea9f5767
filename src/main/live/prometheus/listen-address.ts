import { PoolbenchError } from '../../errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Reads what `--prometheus` was given: a port, which is opened to this machine alone, or a host and a port.
 *
 * @throws PoolbenchError USAGE
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, named, digits = ''] = /^(?:\[([\da-f:.]+)\]:|([^\s:/]+):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) {
    throw new PoolbenchError(
      'USAGE',
      `expected --prometheus PORT, or HOST:PORT to listen elsewhere than on 127.0.0.1, such as 9400 or 0.0.0.0:9400, found ${text}`,
    );
  }
  return { host: bracketed ?? named ?? '127.0.0.1', port };
}
