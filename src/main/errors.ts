/** Exit codes of the contract (docs/architecture.md); 98, 99 and 130 are not errors. */
const exitCodes = {
  /** The command line or the config is wrong. */
  USAGE: 2,
  CONFIG_MISSING: 2,
  CONFIG_INVALID: 2,
  RESULT_INVALID: 2,
  RESULTS_NOT_COMPARABLE: 2,
  RESULTS_NOT_WRITABLE: 2,
  METRICS_NOT_SERVED: 2,
  CLIENT_NOT_USABLE: 2,
  /** The target cannot be reached or started. */
  TARGET_UNREACHABLE: 3,
  TARGET_REFUSED_LOGIN: 3,
  TARGET_NOT_AVAILABLE: 3,
  TARGET_TOO_SMALL: 3,
  TARGET_IN_USE: 3,
  /** The agents, or the server through which they are spoken to. */
  CONTROL_UNREACHABLE: 3,
  AGENTS_MISSING: 3,
  AGENT_REFUSED: 3,
  /** The run failed. */
  TARGET_LOST: 1,
  NOTHING_MEASURED: 1,
  TOO_MANY_FAILURES: 1,
  THREAD_FAILED: 1,
  AGENT_LOST: 1,
  CONTROL_LOST: 1,
  START_MISSED: 1,
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

/** What the system is short of, by its codes, and what to do. None of these is a defect of poolbench. */
const shortages: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EMFILE: [
    'TARGET_TOO_SMALL',
    'this process may open no more files; raise its limit (ulimit -n), or lower workers',
  ],
  ENFILE: [
    'TARGET_TOO_SMALL',
    'this machine can open no more files; close other programs, or raise fs.file-max',
  ],
  ENOSPC: ['RESULTS_NOT_WRITABLE', 'the disk is full; free some space'],
  EDQUOT: ['RESULTS_NOT_WRITABLE', "this user's disk quota is used up; free some space"],
};

/** The error of a system that is short of something, for the user; undefined for any other. */
export function asShortage(cause: unknown): PoolbenchError | undefined {
  const error = asError(cause);
  const [code, meaning] = ('code' in error ? shortages[String(error.code)] : undefined) ?? [];
  if (code === undefined) return undefined;
  return new PoolbenchError(code, `${meaning} (${error.message})`, { cause });
}

/**
 * Like `Promise.all`, but waits for all, so that a user is told at once what is wrong with each.
 *
 * @throws what failed: several PoolbenchErrors as one, with the code of the first
 */
export async function allOf<Work extends readonly unknown[]>(work: Work) {
  const settled = await Promise.allSettled(work);
  const failed = settled.flatMap(one => (one.status === 'rejected' ? [asError(one.reason)] : []));
  const [first] = failed;
  const messages = new Set(failed.map(({ message }) => message));
  const areKnown = failed.every(error => error instanceof PoolbenchError);
  if (first instanceof PoolbenchError && areKnown && messages.size > 1)
    throw new PoolbenchError(first.code, [...messages].join('\n'), { cause: first });
  return await Promise.all(work);
}

/** The first line of an error, or its code: that of several connection attempts has no message. */
export function firstLine(cause: unknown): string {
  const error = asError(cause);
  const [line = ''] = error.message.split('\n', 1);
  return line === '' && 'code' in error ? String(error.code) : line;
}

/** Whatever was thrown, as an error. */
export function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
