/** Two signals closer than this are one key press: npm passes a Ctrl-C on that the terminal has sent already. */
const samePressMs = 200;

/** Ctrl-C, a polite kill, and a terminal that was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ctrl-C, SIGTERM or SIGHUP: the first asks the run to stop and keep what it has, the second ends the process at once.
 * A closing terminal sends SIGHUP more than once, which counts as one. Servers that were started are stopped either
 * way: on the second, as the process exits.
 */
export function onInterrupt(stop: () => void, say: (line: string) => void): () => void {
  let firstAt: number | undefined;
  return listen(signal => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      say('stopping: what was measured is kept; press Ctrl-C again to end at once');
      stop();
    } else if (signal !== 'SIGHUP' && now - firstAt > samePressMs) process.exit(130);
  });
}

/**
 * For a command that has nothing to keep: ends the process at the first signal, and through `process.exit`, so that what
 * is being fetched or was started is cleared away, which a signal's own end would skip.
 */
export function exitOnInterrupt(): void {
  listen(() => process.exit(130));
}

/**
 * Waits for something that cannot be stopped, until the signal is aborted.
 *
 * @param undo is given what comes after that
 * @throws the signal's reason; as `work`
 */
export function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  undo: (late: T) => Promise<void>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      work.then(undo).catch(() => {});
    };
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function listen(handle: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
