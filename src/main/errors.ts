/** Exit codes of the contract (docs/architecture.md); 99 and 130 are not errors. */
const exitCodes = {
  /** The command line or the config is wrong. */
  USAGE: 2,
  CONFIG_MISSING: 2,
  CONFIG_INVALID: 2,
  RESULT_INVALID: 2,
  RESULTS_NOT_COMPARABLE: 2,
  RESULTS_NOT_WRITABLE: 2,
  METRICS_NOT_SERVED: 2,
  /** The target cannot be reached or started. */
  TARGET_UNREACHABLE: 3,
  TARGET_REFUSED_LOGIN: 3,
  TARGET_NOT_AVAILABLE: 3,
  TARGET_TOO_SMALL: 3,
  TARGET_IN_USE: 3,
  /** The run failed. */
  TARGET_LOST: 1,
  NOTHING_MEASURED: 1,
  TOO_MANY_FAILURES: 1,
  THREAD_FAILED: 1,
} as const;

export type ErrorCode = keyof typeof exitCodes;

/** An error a user can do something about: its message says what was expected, what was found and what to do. */
export class PoolbenchError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PoolbenchError';
    this.code = code;
  }

  get exitCode(): number {
    return exitCodes[this.code];
  }
}

/** Whatever was thrown, as an error. */
export function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
