import type { Result } from '../../result.ts';
import { withoutControls } from '../../stats/control.ts';
import { loadsOf, type ScenarioLoad } from '../../stats/populations.ts';
import { hasCompleted } from '../../stats/rounds.ts';
import { safeName, uniqueNames } from '../../text/safe-name.ts';
import { targetBanners } from '../../text/target-words.ts';
import { resultDocument } from '../documents/result.ts';
import { renderReportPage } from '../html/report-page.ts';
import { renderMarkdown } from '../markdown.ts';
import { renderScenariosCsv, renderSeriesCsv, renderServerCsv } from './csv.ts';
import { renderHgrm, renderHlog } from './histograms.ts';
import { renderJunit } from './junit.ts';

/** A file of a results folder. */
export interface ResultFile {
  /** In the folder, with `/`. */
  readonly path: string;
  readonly render: () => string;
}

const kinds = ['response', 'service'] as const;

/** The name of the file of a result. */
export const resultName = 'result.json';

/** The result itself, from which all other files are derived. */
export function resultFile(result: Result): ResultFile {
  return { path: resultName, render: () => `${JSON.stringify(result, null, 1)}\n` };
}

/** Only the report, which is quick to make. */
export function reportFile(result: Result): ResultFile {
  return { path: 'report.md', render: () => renderMarkdown(resultDocument(result)) };
}

/**
 * Every file derived from a result: the report, the page, and files for other tools. All except the report decode every
 * histogram, so each is rendered only on request.
 */
export function derivedFiles(result: Result): ResultFile[] {
  const junit = renderJunit(result);
  return [
    reportFile(result),
    { path: 'report.html', render: () => renderReportPage(result) },
    { path: 'scenarios.csv', render: () => renderScenariosCsv(result) },
    { path: 'series.csv', render: () => renderSeriesCsv(result) },
    ...(result.serverSeries === undefined
      ? []
      : [{ path: 'server.csv', render: () => renderServerCsv(result) }]),
    { path: 'histograms.hlog', render: () => renderHlog(result) },
    ...distributionsOf(result),
    ...(junit === null ? [] : [{ path: 'junit.xml', render: () => junit }]),
  ];
}

/** Names of the files for display, each folder as one, with a `/` at its end. */
export function shortPaths(paths: readonly string[]): string[] {
  return [...new Set(paths.map(path => path.replace(/\/.*/, '/')))];
}

/** Two for each load of which anything completed. */
function distributionsOf(result: Result): ResultFile[] {
  const measured = withoutControls(result).flatMap(loadsOf).filter(hasCompleted);
  const names = uniqueNames(
    measured.map(({ id }) => safeName(id)),
    '_',
  );
  const remarks = targetBanners(result);
  return measured.flatMap((load, index) =>
    kinds.map(kind => ({
      path: `histograms/${names[index]}.${kind}.hgrm`,
      render: () => renderHgrm(histogramsOf(load, kind), remarks),
    })),
  );
}

function histogramsOf({ rounds }: ScenarioLoad, kind: (typeof kinds)[number]): string[] {
  return rounds.map(({ histograms }) => histograms[kind]);
}
