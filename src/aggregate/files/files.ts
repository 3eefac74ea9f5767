import { renderReportPage } from '../page/report-page.ts';
import type { Result, ScenarioResult } from '../result.ts';
import { safeName, uniqueNames } from '../text/safe-name.ts';
import { targetBanners } from '../text/target-words.ts';
import { renderHgrm } from './hgrm.ts';
import { renderHlog } from './hlog.ts';
import { renderJunit } from './junit.ts';
import { renderScenariosCsv } from './scenarios-csv.ts';
import { renderSeriesCsv } from './series-csv.ts';

/** A file of a results folder that is made of its result.json. */
export interface ResultFile {
  /** In the folder of the result, with `/`. */
  readonly path: string;
  readonly render: () => string;
}

const kinds = ['response', 'service'] as const;

/** The page and all files for other tools, which decode every histogram: each is rendered only when it is asked for. */
export function filesOf(result: Result): ResultFile[] {
  const junit = renderJunit(result);
  return [
    { path: 'report.html', render: () => renderReportPage(result) },
    { path: 'scenarios.csv', render: () => renderScenariosCsv(result) },
    { path: 'series.csv', render: () => renderSeriesCsv(result) },
    { path: 'histograms.hlog', render: () => renderHlog(result) },
    ...distributionsOf(result),
    ...(junit === null ? [] : [{ path: 'junit.xml', render: () => junit }]),
  ];
}

/** What those files are, for a reader: files, and folders with a `/` behind them. */
export function fileNames(result: Result): string[] {
  return [...new Set(filesOf(result).map(({ path }) => path.replace(/\/.*/, '/')))];
}

/** Two for each scenario of which anything completed. */
function distributionsOf({ scenarios, target }: Result): ResultFile[] {
  const measured = scenarios.filter(({ rounds }) => rounds.some(({ completed }) => completed > 0));
  const names = uniqueNames(
    measured.map(({ id }) => safeName(id)),
    '_',
  );
  const remarks = targetBanners({ target });
  return measured.flatMap((scenario, index) =>
    kinds.map(kind => ({
      path: `histograms/${names[index]}.${kind}.hgrm`,
      render: () => renderHgrm(histogramsOf(scenario, kind), remarks),
    })),
  );
}

function histogramsOf({ rounds }: ScenarioResult, kind: (typeof kinds)[number]): string[] {
  return rounds.map(({ histograms }) => histograms[kind]);
}
