import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Result,
  type RoundResult,
  resultSchema,
  type ScenarioResult,
} from '../../../aggregate/result.ts';
import { digitsOf, whyNoHistogram } from '../../../aggregate/stats/histogram-decoder.ts';
import { invalid, readChecked } from './read-checked.ts';

const what = 'the result.json of a run, or its folder';

/** The result.json that a path means: itself, or the one in that folder. */
export async function findResult(path: string): Promise<string> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ? join(path, 'result.json') : path;
}

/**
 * Reads a result.json, which may come from anywhere, and holds it against its schema, and its histograms against what
 * can be decoded.
 *
 * @throws PoolbenchError RESULT_INVALID
 */
export async function readResult(file: string): Promise<Result> {
  const result = await readChecked(file, resultSchema, what);
  for (const scenario of result.scenarios) {
    const wrong = findNoHistogram(scenario);
    if (wrong !== undefined) throw invalid(file, `${what}, found at ${wrong}`);
  }
  return result;
}

/** Whatever is made of a result relies on it that its histograms can be decoded, and those of a scenario added up. */
function findNoHistogram({ id, rounds }: ScenarioResult): string | undefined {
  const digits = new Map<string, number>();
  for (const round of rounds) {
    for (const [name, text] of histogramsOf(round)) {
      const where = `histogram ${name} of ${id}, round ${round.round}`;
      const found = whyNoHistogram(text);
      if (found !== null) return `${where}: ${found}`;
      const own = digitsOf(text);
      const before = digits.get(name) ?? own;
      if (own !== before) return `${where}: ${own} digits, in rounds before it ${before}`;
      digits.set(name, own);
    }
  }
  return undefined;
}

function histogramsOf({ histograms, openLoop }: RoundResult): [name: string, text: string][] {
  return Object.entries({ ...histograms, ...(openLoop === null ? {} : { lag: openLoop.lagHistogram }) });
}
