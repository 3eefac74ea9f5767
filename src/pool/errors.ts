/** Errors between a caller and the pool. The codes are counted in results, so they are stable. */
type PoolErrorCode =
  /** No connection became free in the time the caller allowed. */
  | 'ACQUIRE_TIMEOUT'
  /** The pool was closed while the caller waited, or before it asked. */
  | 'POOL_CLOSED'
  /** A connection that is not in use was released, which is a defect of the caller. */
  | 'NOT_IN_USE'
  /** A batch was not answered in time. Its connection is closed. */
  | 'TIMEOUT'
  /** The connection was lost without a system error. */
  | 'CONNECTION_CLOSED'
  /** No connection attempt was made, because the last ones failed, and it is too early for the next. */
  | 'CIRCUIT_OPEN'
  /** No Sentinel knew the master's address. */
  | 'NO_MASTER'
  /** What a client module opened is not a connection as poolbench needs it. */
  | 'CLIENT_NOT_USABLE'
  /** The bytes that arrived are not a reply, or a reply to nothing. */
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
  return new PoolError('ACQUIRE_TIMEOUT', 'Expected a connection to become free in time, but none did');
}

export function circuitOpen(): PoolError {
  return new PoolError(
    'CIRCUIT_OPEN',
    'No connection was attempted, because the last attempts failed. See their errors, and try again in a moment',
  );
}

export function notInUse(): PoolError {
  return new PoolError('NOT_IN_USE', 'Expected a connection in use, found one already released');
}

/** The code under which a failed attempt or command is counted: a pool's or the system's, or a reply's first word. */
export function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return /^[A-Z][A-Z0-9_]*(?= |$)/.exec(error.message)?.[0] ?? 'CONNECTION_CLOSED';
}

/** The code of a failed command: the first word of an error reply, or the reason why the connection was lost. */
export function codeOf(error: unknown, closedAs: string | undefined): string {
  if (isRefusal(error)) return codeOfReply(error.message);
  const code = failureCode(error);
  return code === 'CONNECTION_CLOSED' ? (closedAs ?? code) : code;
}

/**
 * The code of an error reply: its first word. A reply without one, such as `idx42: no such index`, has ERR: words with a key
 * or a number of the operation in them would be a code for each operation, and fill memory and results.
 */
export function codeOfReply(message: string): string {
  const end = message.indexOf(' ');
  const word = end < 0 ? message : message.slice(0, end);
  return word === '' || (/\d/.test(word) && !/^[A-Z][A-Z0-9_]*$/.test(word)) ? 'ERR' : word;
}

/** Whether the server answered with an error: ioredis names such errors so, and poolbench those of other clients. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
