/** Redirections that a thread's clients were answered with and have followed, since the last reset. */
export class RedirectCount {
  moved = 0;
  ask = 0;

  /** The warm-up is discarded, as in the metrics of the pools. */
  resetMetrics(): void {
    this.moved = 0;
    this.ask = 0;
  }
}

/** Redirections of one command that are followed; after so many it fails with the code of the last one. */
export const maxRedirects = 5;

/** Where a node sends a command to, as its error says. */
export interface Redirect {
  readonly asking: boolean;
  readonly slot: number;
  /** Empty: the host that answered. */
  readonly host: string;
  readonly port: number;
}

/** Reads `MOVED 3999 127.0.0.1:6381` and `ASK …`; undefined for any other error. */
export function readRedirect(message: string): Redirect | undefined {
  // The last colon: an IPv6 address has more.
  const [, code, slot, host, port] = /^(MOVED|ASK) (\d{1,5}) (.*):(\d+)/.exec(message) ?? [];
  if (code === undefined) return undefined;
  return { asking: code === 'ASK', slot: Number(slot), host: host ?? '', port: Number(port) };
}
