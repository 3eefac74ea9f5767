import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { comparisonSchema, type ResultComparison } from '../../src/aggregate/comparison/schema.ts';
import { type Result, resultSchema } from '../../src/aggregate/result.ts';

/** What a run of several sides has left in its folder. */
export async function readComparison(folder: string): Promise<ResultComparison> {
  return parseComparison(await readFile(join(folder, 'comparison.json'), 'utf8'));
}

/** A comparison in JSON, in which an interval that has no end is null. */
export function parseComparison(json: string): ResultComparison {
  return comparisonSchema.parse(JSON.parse(json));
}

/** The result.json of one side. */
export async function readSide(folder: string, name: string): Promise<Result> {
  return resultSchema.parse(JSON.parse(await readFile(join(folder, name, 'result.json'), 'utf8')));
}
