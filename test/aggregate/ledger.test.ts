import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { assembleLedger, countVerdicts, ledgerSchema } from '../../src/aggregate/claims/ledger.ts';
import { inMarkdown, onTerminal } from '../support/documents.ts';
import { buildClaim, buildLedger, buildSuite, ledgerHead } from '../support/ledger-builder.ts';
import { standInTarget } from '../support/result-builder.ts';

describe('ledger has an entry for every claim', () => {
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
});

describe('ledger says every verdict to a reader', () => {
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
      reason: 'Only 4 rounds are common. It takes 5.',
      gist: '',
    }),
  ]);

  test('terminal: what decided, and where nothing says so the reason', () => {
    const text = onTerminal.ledger(mixed);
    expect(text).toContain(
      [
        '  measured    ×1.40 [1.30, 1.50]',
        '  limited by  pool, nothing saturated',
        '  why         With ioredis: holds. With wire: fails.',
      ].join('\n'),
    );
    expect(text).toContain(
      [
        'C5 inconclusive: C5 holds.',
        '  predicted   ×1.2 or more',
        '  limited by  client',
        '  why         Only 4 rounds are common. It takes 5.',
      ].join('\n'),
    );
    expect(text).not.toMatch(/do not agree|And so on/);
  });

  test('luck is told of all verdicts together, and not where there is none', () => {
    const said = (...claims: Parameters<typeof buildLedger>) =>
      /up to (\S+ of these \d+) verdicts false/.exec(
        onTerminal.ledger(buildLedger(...claims)).replace(/\s+/g, ' '),
      )?.[1];
    const all = Array.from({ length: 16 }, (_, index) => buildClaim(`C${index}`));
    // 1/32 with 5 rounds, 10/512 with 9.
    expect(said(all, {}, { rounds: 5 })).toBe('0.5 of these 16');
    expect(said(all)).toBe('0.31 of these 16');
    const ofThree = all.map(claim => ({ ...claim, predictions: 3 }));
    expect(said(ofThree, {}, { rounds: 5 })).toBe('1.5 of these 16');
    expect(said([buildClaim('C1', { verdict: 'inconclusive' })])).toBeUndefined();
    expect(onTerminal.ledger(buildLedger([buildClaim('C1')]))).toContain('of this verdict false.');
    expect(inMarkdown.ledger(mixed)).toContain('\n\nIf every truth lay exactly on its threshold, chance');
  });

  test('terminal: where nothing was measured, why', () => {
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

  test('markdown: a suite of two servers has no command of its own, and says what runs it', () => {
    const text = inMarkdown.ledger(buildLedger([buildClaim('C9')], {}, { name: 'versus', command: null }));
    expect(text).toContain('\n\nversus: by npm run claims -- … only, as it takes two servers.\n');
    expect(text).not.toMatch(/Each runs alone|versus CONFIG/);
    expect(inMarkdown.ledger(mixed)).not.toContain('npm run claims -- …');
  });

  test('a stand-in and an unfinished ledger are shouted, first and last', () => {
    const ledger = buildLedger(
      [buildClaim('C1')],
      { target: standInTarget },
      { state: 'unfinished', judged: null },
    );
    const shouts = [
      'STAND-IN: these are figures of redis 7.0.15, which stood in for dragonfly.',
      'INCOMPLETE: 0 of 1 suite ran to the end.',
    ];
    const terminal = onTerminal.ledger(ledger).trim();
    expect(terminal.startsWith(shouts.join('\n\n'))).toBe(true);
    expect(terminal.endsWith(shouts.join('\n\n'))).toBe(true);
    const markdown = inMarkdown.ledger(ledger).trim();
    const quoted = shouts.map(shout => `> **${shout}**`).join('\n\n');
    expect(markdown.startsWith(`# Claims ledger: redis\n\n${quoted}\n`)).toBe(true);
    expect(markdown.endsWith(quoted)).toBe(true);
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
