import { thresholdColumns } from '../../thresholds/columns.ts';
import { describeThresholds, inOrder, type ToldThreshold } from '../../thresholds/words.ts';
import { type Content, html } from '../html.ts';
import { fold, htmlTable } from '../table.ts';

const mostOpen = 30;

/** Every threshold, crossed ones first; null without any. */
export function thresholdTable(thresholds: readonly ToldThreshold[]): Content {
  const title = describeThresholds(thresholds);
  if (title === null) return null;
  const columns = thresholdColumns(thresholds);
  const table = htmlTable('Thresholds', inOrder(thresholds), columns, (threshold, column) =>
    column.name === ''
      ? html`<span class="badge ${threshold.crossed ? 'bad' : 'good'}">${threshold.crossed ? '✕ crossed' : '✓ met'}</span>`
      : column.text(threshold),
  );
  return fold(`${title}.`, table, thresholds.length <= mostOpen || thresholds.some(({ crossed }) => crossed));
}
