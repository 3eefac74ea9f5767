import { expect, test } from 'vitest';
import { renderReportPage } from '../src/aggregate/report/html/report-page.ts';
import { inMarkdown, onTerminal } from './support/documents.ts';
import { buildResult, buildRound, buildScenario } from './support/result-builder.ts';

/** A run on 8 cores of which poolbench and its server used 1.6. */
function runBeside(machineBusyShares: readonly number[]) {
  const rounds = machineBusyShares.map((machineBusyShare, index) => {
    const round = buildRound(index + 1, 1000);
    return { ...round, cpu: { ...round.cpu, machineBusyShare } };
  });
  return buildResult([buildScenario({}, rounds)]);
}

const renderings = (result: ReturnType<typeof runBeside>) =>
  [onTerminal.result(result), inMarkdown.result(result), renderReportPage(result)].map(text =>
    text.replaceAll(/\s+/g, ' '),
  );

test('others that use a quarter of the machine all the time are told in every rendering', () => {
  for (const text of renderings(runBeside([0.5, 0.5, 0.6])))
    expect(text).toMatch(/other programs used 2\.4 of this machine(?:'|&#39;|’)s 8 cores/i);
});

test('less than that, or in few measurements, is no word worth', () => {
  for (const shares of [
    [0.4, 0.4, 0.4],
    [0.2, 0.2, 0.9],
  ])
    for (const text of renderings(runBeside(shares))) expect(text).not.toMatch(/other programs used/i);
});
