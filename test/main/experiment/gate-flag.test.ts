import { expect, test } from 'vitest';
import { parseCommandLine } from '../../../src/main/cli/command-line.ts';
import { parseGates } from '../../../src/main/experiment/gate-flag.ts';

test('conditions are a metric, a comparator and a change, several with commas between them', () => {
  expect(parseGates(undefined)).toEqual([]);
  expect(parseGates(' response.p99>+5% , opsPerSecond < -2.5 %')).toMatchObject([
    { condition: 'response.p99 > +5%', fails: 'above', threshold: 1.05, metric: { name: 'response p99' } },
    { condition: 'opsPerSecond < -2.5%', fails: 'below', threshold: 0.975 },
  ]);
});

test('the flag can be given several times, by versus and compare', () => {
  const flags = ['--fail-if', 'response.p99 > +5%', '--fail-if=opsPerSecond < -5%'];
  for (const command of ['versus', 'compare']) {
    expect(parseCommandLine([command, 'a', 'b', ...flags])).toMatchObject({
      options: { 'fail-if': 'response.p99 > +5%, opsPerSecond < -5%' },
    });
  }
  expect(() => parseCommandLine(['run', 'a.json', ...flags])).toThrow(
    '--fail-if belongs to versus and compare',
  );
});

test.each([
  [
    'response.p99',
    /METRIC > \+PERCENT%.*in quotes.*found "response\.p99" \(did you mean "response\.p99 > \+5%"\?\)/,
  ],
  ['p99', /found "p99" \(did you mean "response\.p99 > \+5%"\?\)/],
  ['opsPerSecond', /\(did you mean "opsPerSecond < -5%"\?\)/],
  ['p50 > 2.5%', /\(did you mean "response\.p50 > \+2\.5%"\?\)/],
  ['opspersecond -10%', /\(did you mean "opsPerSecond < -10%"\?\)/],
  ['nonsense > 5%', /found "nonsense > 5%"; an example: /],
  ['response.p99 > 5%', /found "response\.p99 > 5%"/],
  ['response.p99 >= +5%', /found "response\.p99 >= \+5%"/],
  ['response.p99 > +5', /found "response\.p99 > \+5"/],
  ['response.p99 > +5%,', /found ""/],
  ['', /found ""/],
  [
    'respons.p99 > +5%',
    /response\.p99, .*found "respons\.p99 > \+5%" \(did you mean "response\.p99 > \+5%"\?\)/,
  ],
  ['failedShare > +5%', /found "failedShare > \+5%"$/],
  ['opsPerSecond < -100%', /above -100 %, found -100%/],
])('%j is refused with the flag, the expected form and what was found', (text, message) => {
  expect(() => parseGates(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  expect(() => parseGates(text)).toThrow(/^--fail-if: expected /);
  expect(() => parseGates(text)).toThrow(message);
});
