/** What can go wrong between a caller and the pool. The codes are counted in results, so they are stable. */
export type PoolErrorCode =
  /** No connection became free in the time the caller allowed. */
  | 'ACQUIRE_TIMEOUT'
  /** The pool was closed while the caller waited, or before it asked. */
  | 'POOL_CLOSED'
  /** A connection that nobody holds was released: a defect of the caller. */
  | 'NOT_IN_USE'
  /** No reply in the time a batch is allowed; its connection is given up. */
  | 'TIMEOUT'
  /** The connection was lost without a system error that would say more. */
  | 'CONNECTION_CLOSED'
  /** No connect was tried: the last ones have all failed, and it is too early for the next. */
  | 'CIRCUIT_OPEN'
  /** No Sentinel told where the master is. */
  | 'NO_MASTER'
  /** What arrived is not a reply. */
  | 'PROTOCOL';

export class PoolError extends Error {
  readonly code: PoolErrorCode;

  constructor(code: PoolErrorCode, message: string) {
    super(message);
    this.name = 'PoolError';
    this.code = code;
  }
}

export function poolClosed(): PoolError {
  return new PoolError('POOL_CLOSED', 'Expected an open pool, found one that is closed');
}

export function acquireTimeout(): PoolError {
  return new PoolError('ACQUIRE_TIMEOUT', 'Expected a connection to become free in time, none did');
}

export function circuitOpen(): PoolError {
  return new PoolError(
    'CIRCUIT_OPEN',
    'Expected a server that can be connected to, the last connects failed; look at why they did, and ask again in a moment',
  );
}

export function notInUse(): PoolError {
  return new PoolError('NOT_IN_USE', 'Expected a connection in use, found one already released');
}

/** The code under which a failed connect or command is counted: a pool's or the system's code, or a server's first word. */
export function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z][A-Z0-9_]*(?= |$)/.exec(error.message)?.[0] ?? 'CONNECTION_CLOSED';
}
