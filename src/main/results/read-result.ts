import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { whyNoHistogram } from '../../aggregate/histogram-check.ts';
import { type Result, type RoundResult, resultSchema } from '../../aggregate/result.ts';
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
  for (const { id, rounds } of result.scenarios) {
    for (const round of rounds) {
      const wrong = findNoHistogram(round);
      if (wrong === undefined) continue;
      throw invalid(file, `${what}, found at ${wrong.name} of ${id}, round ${round.round}: ${wrong.found}`);
    }
  }
  return result;
}

function findNoHistogram({ histograms, openLoop }: RoundResult): { name: string; found: string } | undefined {
  const texts = { ...histograms, ...(openLoop === null ? {} : { lag: openLoop.lagHistogram }) };
  for (const [name, text] of Object.entries(texts)) {
    const found = whyNoHistogram(text);
    if (found !== null) return { name: `histogram ${name}`, found };
  }
  return undefined;
}
