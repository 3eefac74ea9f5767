import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { assembleLedger, countVerdicts, ledgerSchema } from '../../src/aggregate/claims/ledger.ts';
import { inMarkdown, onTerminal } from '../support/documents.ts';
import { buildClaim, buildLedger, buildSuite, ledgerHead } from '../support/ledger-builder.ts';
import { standInTarget } from '../support/result-builder.ts';

describe('entries of a ledger', () => {
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
    ['not run', { result: null }, /pools, has not run/, false],
    [
      'unfinished',
      { note: 'It was interrupted.' },
      /pools, .* It was interrupted\. .* pools\/result\.json\.$/,
      false,
    ],
    ['failed', { note: 'It failed: no threads.', result: null }, /pools, .* It failed: no threads\.$/, false],
    ['impossible', { note: 'It takes two.', result: null }, /^It takes two\.$/, true],
    ['complete', { judged: [] }, /pools, has no verdict on C1\.$/, true],
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
      reason: expect.stringMatching(reason),
    });
  });

  test('a claim whose suite is not among them is still there', () => {
    expect(assemble().entries[0]).toMatchObject({ id: 'C1', verdict: 'not tested' });
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
});

describe('the renderings of a ledger', () => {
  const mixed = buildLedger([
    buildClaim('C1'),
    buildClaim('C2', {
      verdict: 'refuted',
      measured: 0.412,
      low: 0.4,
      high: 0.43,
      unit: 'ms',
      reason: 'Throughput was lower. It was. And so on.',
      gist: 'Throughput was lower.',
      predictions: 3,
    }),
    buildClaim('C3', {
      verdict: 'not tested',
      measured: null,
      low: null,
      high: null,
      limitedBy: [],
      reason: `There is no such ${'arm '.repeat(30)}.`,
      gist: '',
    }),
    buildClaim('C4', {
      verdict: 'inconclusive',
      statement: 'a long statement '.repeat(9),
      limitedBy: ['pool', 'none'],
      reason: 'The clients do not agree. With wire: more.',
      gist: 'With ioredis: holds. With wire: fails.',
    }),
    buildClaim('C5', {
      verdict: 'inconclusive',
      measured: null,
      low: null,
      high: null,
      reason: 'Only 5 rounds are common. It takes 6.',
      gist: '',
    }),
  ]);

  test('terminal: what decided, or else the reason', () => {
    const text = onTerminal.ledger(mixed);
    expect(text).toMatch(
      / ×1\.40 \[1\.30, 1\.50\]\n.* pool, .*\n +why +With ioredis: holds\. With wire: fails\.$/m,
    );
    expect(text).toMatch(/^C5 inconclusive: .*\n.* ×1\.2 or more\n.* client\n +why +Only 5 rounds .* 6\.$/m);
    expect(text).not.toMatch(/do not agree|And so on/);
  });

  test('the chance of false verdicts is that of all together, and not mentioned if there is none', () => {
    const said = (...claims: Parameters<typeof buildLedger>) =>
      /up to (\S+ of these \d+) verdicts false/.exec(
        onTerminal.ledger(buildLedger(...claims)).replace(/\s+/g, ' '),
      )?.[1];
    const all = Array.from({ length: 16 }, (_, index) => buildClaim(`C${index}`));
    expect(said(all)).toBe('0.25 of these 16');
    const ofThree = all.map(claim => ({ ...claim, predictions: 3 }));
    expect(said(ofThree)).toBe('0.75 of these 16');
    expect(said([buildClaim('C1', { verdict: 'inconclusive' })])).toBeUndefined();
    expect(onTerminal.ledger(buildLedger([buildClaim('C1')]))).toContain('this verdict');
    expect(inMarkdown.ledger(mixed)).toMatch(/up to \S+ of these \d+ verdicts false/);
  });

  test('terminal: the reason if nothing was measured', () => {
    const lines = onTerminal.ledger(mixed).split('\n');
    const at = lines.indexOf('C3 not tested: C3 holds.');
    expect(lines[at + 2]).toMatch(/^ {2}why {9}There is no such arm arm/);
    expect(lines[at + 3]).toMatch(/^ {14}arm/);
  });

  test('terminal: everything fits 80 columns, and colour changes no character', () => {
    const plain = onTerminal.ledger(mixed);
    for (const line of plain.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const coloured = onTerminal.ledger(mixed, true);
    expect(coloured).not.toBe(plain);
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });

  test('markdown: a suite of two servers has no command of its own, and names the command that runs it', () => {
    const text = inMarkdown.ledger(buildLedger([buildClaim('C9')], {}, { name: 'versus', command: null }));
    expect(text).toMatch(/^versus: .*npm run claims -- …/m);
    expect(text).not.toMatch(/Each runs alone|versus CONFIG/);
    expect(inMarkdown.ledger(mixed)).not.toContain('npm run claims -- …');
  });

  test('a stand-in and an unfinished ledger are alerts, first and last', () => {
    const ledger = buildLedger(
      [buildClaim('C1')],
      { target: standInTarget },
      { state: 'unfinished', judged: null },
    );
    const terminal = onTerminal.ledger(ledger).trim().split('\n\n');
    const alerts = [
      expect.stringMatching(/^STAND-IN: .*redis 7\.0\.15, .* dragonfly\./),
      expect.stringMatching(/^INCOMPLETE: 0 of 1 /),
    ];
    expect(terminal.slice(0, 2)).toEqual(alerts);
    expect(terminal.slice(-2)).toEqual(alerts);
    const markdown = inMarkdown.ledger(ledger).trim().split('\n\n');
    const quoted = terminal.slice(0, 2).map(alert => `> **${alert}**`);
    expect(markdown.slice(1, 3)).toEqual(quoted);
    expect(markdown.slice(-2)).toEqual(quoted);
  });

  test('text from outside breaks no rendering', () => {
    const foreign = 'a\u001b[2J|b\n# c <img>';
    const ledger = buildLedger(
      [buildClaim('C1', { reason: foreign, gist: foreign, limitedBy: ['x|y\u0007'], measured: null })],
      { command: 'claims x\n```\n# y' },
      { note: 'n|m\nz', result: 'a|b>/result.json' },
    );
    expect(onTerminal.ledger(ledger)).not.toMatch(/(?!\n)\p{Cc}/u);
    const markdown = inMarkdown.ledger(ledger);
    expect(markdown).not.toMatch(/(?!\n)\p{Cc}|<img|^# (c|y)/mu);
    const table = markdown.split('\n').filter(line => line.startsWith('|'));
    for (const row of table.slice(0, 3)) expect(row.split(/(?<!\\)\|/), row).toHaveLength(8);
    for (const row of table.slice(3, 6)) expect(row.split(/(?<!\\)\|/), row).toHaveLength(10);
  });
});
