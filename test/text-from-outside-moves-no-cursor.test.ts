import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { assembleLedger } from '../src/aggregate/claims/ledger.ts';
import { compareResults } from '../src/aggregate/comparison/compare-results.ts';
import { onTerminal } from './support/documents.ts';
import { buildClaim, ledgerHead } from './support/ledger-builder.ts';
import { runPoolbench } from './support/poolbench.ts';
import { buildMatrix, buildResult, buildRound } from './support/result-builder.ts';
import { buildSearch } from './support/search-builder.ts';

/** Clears the screen, writes over the line, turns the text around. */
const hostile = '\u001b[2J\u009b1A\r\u202e\u0007';
const control = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

/** What the schemas leave free, with that behind every text. */
function poisoned<T>(value: T, key = ''): T {
  const closed = [
    'verdict',
    'resource',
    'leg',
    'state',
    'service',
    'response',
    'startedAt',
    'finishedAt',
    'kind',
  ];
  if (typeof value === 'string') return (closed.includes(key) ? value : value + hostile) as T;
  if (Array.isArray(value)) return value.map(item => poisoned(item, key)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, poisoned(member, name)]),
  ) as T;
}

const failing = buildRound(1, 10, { issued: 30, failed: { [`OOM${hostile}`]: 20 } });
const result = poisoned(
  buildResult(
    buildMatrix({ gain: () => 1 }).map(scenario => ({ ...scenario, rounds: [...scenario.rounds, failing] })),
    { warnings: ['odd'], config: { workload: {} } },
  ),
);
const ledger = poisoned(
  assembleLedger(ledgerHead, [{ ...buildClaim('C1'), suite: 'first' }], [], new Date(0)),
);

test.each([
  ['result', onTerminal.result(result)],
  ['comparison', onTerminal.comparison(compareResults([result, result]))],
  ['ledger', onTerminal.ledger(ledger)],
  ['search', onTerminal.search({ ...poisoned(buildSearch()), conditions: buildSearch().conditions })],
])('%s', (_, text) => {
  expect(text.length).toBeGreaterThan(200);
  expect(text).not.toMatch(control);
});

test('report and compare, rendered and as JSON', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = await Promise.all(
    ['one', 'other'].map(async name => {
      await mkdir(join(folder, name));
      await writeFile(join(folder, name, 'result.json'), JSON.stringify(result));
      return join(folder, name);
    }),
  );
  const outcomes = await Promise.all([
    runPoolbench(['report', paths[0] ?? '']),
    runPoolbench(['compare', ...paths]),
    runPoolbench(['compare', ...paths, '--json']),
  ]);
  for (const { code, stdout, stderr } of outcomes) {
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toMatch(control);
  }
  // JSON says the same, escaped.
  expect(JSON.parse(outcomes[2].stdout).sides[0].target.detected.version).toContain(hostile);
});
