import { PoolbenchError } from '../errors.ts';

/**
 * Renders something that decodes the histograms of a result: what a result from anywhere calls one need not be one.
 *
 * @param file the result.json
 * @throws PoolbenchError RESULT_INVALID
 */
export function renderHistograms<T>(file: string, render: () => T): T {
  try {
    return render();
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new PoolbenchError(
      'RESULT_INVALID',
      `${file}: expected HDR histograms, V2 compressed and in base64, found what cannot be decoded: ${found}`,
      { cause },
    );
  }
}
