import { expect, test } from 'vitest';
import { assembleLedger, countVerdicts, ledgerSchema } from '../src/aggregate/claims/ledger.ts';
import { buildClaim, buildLedger, buildSuite, ledgerHead } from './support/ledger-builder.ts';

const claims = ['C10', 'C1', 'C2'].map(id => ({
  id,
  statement: `${id} holds.`,
  predicted: '×2',
  suite: id === 'C10' ? 'versus' : 'pools',
}));
const assemble = (...suites: Parameters<typeof assembleLedger>[2][number][]) =>
  assembleLedger(ledgerHead, claims, suites, new Date('2026-11-23T11:00:00Z'));

test('the verdicts of its suite, in the order of the claims’ numbers', () => {
  const ledger = assemble(
    buildSuite('pools', ['C1', 'C2'], [buildClaim('C2', { verdict: 'refuted' }), buildClaim('C1')]),
    buildSuite(
      'versus',
      ['C10'],
      [buildClaim('C10', { unit: 'ms' }), buildClaim('C1', { verdict: 'refuted' })],
    ),
  );
  expect(ledger.complete).toBe(true);
  expect(
    ledger.entries.map(({ id, verdict, unit, suite, result }) => [id, verdict, unit, suite, result]),
  ).toEqual([
    ['C1', 'supported', '×', 'pools', 'pools/result.json'],
    ['C2', 'refuted', '×', 'pools', 'pools/result.json'],
    ['C10', 'supported', 'ms', 'versus', 'versus/result.json'],
  ]);
  expect(ledger.entries[0]).toMatchObject({ measured: 1.4, low: 1.3, high: 1.5, limitedBy: ['client'] });
  expect(ledgerSchema.parse(JSON.parse(JSON.stringify(ledger)))).toEqual(ledger);
});

test.each([
  ['not run', { result: null }, 'Its suite, pools, has not run yet.', false],
  [
    'unfinished',
    { note: 'It was interrupted.' },
    'Its suite, pools, did not run to its end. It was interrupted. What it had is in pools/result.json.',
    false,
  ],
  [
    'failed',
    { note: 'It failed: no threads.', result: null },
    'Its suite, pools, did not run to its end. It failed: no threads.',
    false,
  ],
  ['impossible', { note: 'It takes two.', result: null }, 'It takes two.', true],
  ['complete', { judged: [] }, 'The result of its suite, pools, has no verdict on C1.', true],
] as const)('no verdict of a suite that is %s, but the reason', (state, changes, reason, complete) => {
  const ledger = assemble(
    { ...buildSuite('pools', ['C1', 'C2'], null), state, ...changes },
    buildSuite('versus', ['C10'], [buildClaim('C10')]),
  );
  expect(ledger.complete).toBe(complete);
  expect(ledger.entries[0]).toMatchObject({
    id: 'C1',
    statement: 'C1 holds.',
    predicted: '×2',
    verdict: 'not tested',
    measured: null,
    reason,
  });
});

test('a claim whose suite is not among them is still there', () => {
  expect(assemble().entries.map(({ id, reason }) => [id, reason])[0]).toEqual([
    'C1',
    'Its suite, pools, has not run yet.',
  ]);
});

test('verdicts are counted in one order, without those that no claim has', () => {
  const of = (...verdicts: ('supported' | 'refuted' | 'inconclusive' | 'not tested')[]) =>
    countVerdicts(
      buildLedger(verdicts.map((verdict, index) => buildClaim(`C${index}`, { verdict }))).entries,
    );
  expect(of('not tested', 'refuted', 'inconclusive', 'refuted', 'supported')).toBe(
    '1 supported, 2 refuted, 1 inconclusive, 1 not tested',
  );
  expect(of('inconclusive')).toBe('1 inconclusive');
});
