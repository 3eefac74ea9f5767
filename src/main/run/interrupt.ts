/** Two signals closer than this are one key press: npm passes a Ctrl-C on that the terminal has sent already. */
const samePressMs = 200;

/**
 * Ctrl-C, or SIGTERM: the first asks the run to stop and keep what it has, the second ends the process at once.
 * Servers that were started are stopped either way: on the second, as the process exits.
 */
export function onInterrupt(stop: () => void, say: (line: string) => void): () => void {
  let firstAt: number | undefined;
  const handle = () => {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      say('stopping: what was measured is kept; press Ctrl-C again to end at once');
      stop();
    } else if (now - firstAt > samePressMs) process.exit(130);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
  return () => {
    process.off('SIGINT', handle);
    process.off('SIGTERM', handle);
  };
}
