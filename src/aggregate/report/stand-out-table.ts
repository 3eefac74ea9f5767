import { findOutliers, type Outlier } from '../outliers.ts';
import type { Result } from '../result.ts';
import { formatRate, formatRatio } from '../text/format.ts';
import { numberColumn, type Table, textColumn } from '../text/table.ts';

/** Rows of the table: the farthest; more would bury the rest of the report. */
const mostRows = 20;

/** What tells whether a round stands out. */
export type Measured = Pick<Result, 'scenarios' | 'environment' | 'target'>;

export interface StandOutTable extends Table<Outlier> {
  readonly note: string;
  /** What the table leaves out; null if nothing. */
  readonly rest: string | null;
}

/** Null if no round stands out. */
export function standOutTable(result: Measured): StandOutTable | null {
  const standOuts = findOutliers(result);
  if (standOuts.length === 0) return null;
  return {
    note: "Throughput more than 5 scaled median absolute deviations and more than 10 % from the scenario's median. They are shown, not dropped: every figure, interval and verdict counts them.",
    rows: standOuts.toSorted((a, b) => distance(b) - distance(a)).slice(0, mostRows),
    columns: [
      textColumn('scenario', ({ scenarioId }) => scenarioId),
      numberColumn('round', ({ round }) => round),
      numberColumn('ops/s', ({ opsPerSecond }) => formatRate(opsPerSecond)),
      numberColumn('median', ({ medianOpsPerSecond }) => formatRate(medianOpsPerSecond)),
      numberColumn('ratio', standOut => formatRatio(standOut.opsPerSecond / standOut.medianOpsPerSecond)),
      textColumn('what its figures say', ({ why }) => why),
    ],
    rest: standOuts.length > mostRows ? `The ${mostRows} farthest of ${standOuts.length}.` : null,
  };
}

/** As a ratio to either side, so that half as much is as far as twice as much. */
function distance({ opsPerSecond, medianOpsPerSecond }: Outlier): number {
  return Math.abs(Math.log(opsPerSecond / medianOpsPerSecond));
}
