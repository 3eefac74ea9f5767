import { ok } from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { compareResults } from '../../../src/aggregate/comparison/compare-results.ts';
import { derivedFiles } from '../../../src/aggregate/report/files/result-files.ts';
import type { Result } from '../../../src/aggregate/result.ts';
import { PoolbenchError } from '../../../src/main/errors.ts';
import { readResult } from '../../../src/main/run/results/read-result.ts';
import { inMarkdown, onTerminal } from '../documents.ts';
import { buildOpenScenario } from '../open-loop-round.ts';
import { buildMatrix, buildResult } from '../result-builder.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutatedJson } from './mutated-json.ts';

/** Reads a result or says RESULT_INVALID; what it has read, `report` and `compare` can show. */
export const resultTarget: FuzzTarget = {
  name: 'the reader of results',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    const file = join(folder, 'result.json');
    const closed = buildResult(buildMatrix({ workers: [10, 50], pools: [1, 2], rounds: 3, gain: () => 1.2 }));
    const open = buildResult([buildOpenScenario(1000, [1, 2, 3]), buildOpenScenario(2000, [2, 3, 4])]);
    const property = fc.asyncProperty(mutatedJson([closed, open]), async text => {
      await writeFile(file, text);
      let result: Result;
      try {
        result = await readResult(file);
      } catch (error) {
        ok(error instanceof PoolbenchError && error.code === 'RESULT_INVALID', error as Error);
        return;
      }
      onTerminal.result(result);
      for (const { render } of derivedFiles(result)) render();
      const comparison = compareResults([closed, result]);
      onTerminal.comparison(comparison);
      inMarkdown.comparison(comparison);
    });
    return { property, close: () => rm(folder, { recursive: true, force: true }) };
  },
};
