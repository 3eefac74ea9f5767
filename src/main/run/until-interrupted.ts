/**
 * Waits for what comes before the load, in which there is nothing to keep yet: an interrupt ends the process at once.
 * What is being started or fetched is stopped as the process exits.
 */
export async function untilInterrupted<T>(
  signal: AbortSignal,
  beforeExit: () => void,
  work: Promise<T>,
): Promise<T> {
  const leave = () => {
    beforeExit();
    process.exit(130);
  };
  signal.addEventListener('abort', leave);
  try {
    return await work;
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
