import type { ScenarioResult } from '../result.ts';
import { asMarkdown } from '../text/as-markdown.ts';
import { markdownTable } from '../text/markdown.ts';
import { accountingTable } from './accounting-table.ts';
import { commandColumns, commandNote, commandRows } from './command-columns.ts';
import { hysteresisColumns, hysteresisNote, loadColumns, loadNote } from './load-columns.ts';
import { hysteresisOf, type LoadTable, loadTables } from './load-tables.ts';
import { poolColumns, poolNote } from './pool-columns.ts';
import { type Measured, standOutTable } from './stand-out-table.ts';

/** The section of a report on open loops: latency against load; nothing where there are none. */
export function loadSection(scenarios: readonly ScenarioResult[]): string[] {
  const tables = loadTables(scenarios);
  if (tables.length === 0) return [];
  return [
    '## Latency against load',
    loadNote,
    ...tables.flatMap(table => [
      `**${asMarkdown(table.heading)}**`,
      markdownTable(table.scenarios, loadColumns()),
      ...hysteresisTable(table),
    ]),
  ];
}

function hysteresisTable(table: LoadTable): string[] {
  const ways = hysteresisOf(table);
  if (ways.length === 0) return [];
  return [hysteresisNote, markdownTable(ways, hysteresisColumns())];
}

/** The section of a report on rounds far from the others of their scenario; nothing if there are none. */
export function standOutSection(result: Measured): string[] {
  const table = standOutTable(result);
  if (table === null) return [];
  const { note, rows, columns, rest } = table;
  return ['## Rounds that stand out', note, markdownTable(rows, columns), ...(rest === null ? [] : [rest])];
}

/** The section of a report on each command of a mix; none where no scenario has several. */
export function commandSection(scenarios: readonly ScenarioResult[]): string[] {
  const rows = commandRows(scenarios);
  return rows.length === 0 ? [] : ['## Commands', commandNote, markdownTable(rows, commandColumns())];
}

/** The section of a report on what the pools themselves did. */
export function poolSection(scenarios: readonly ScenarioResult[]): string[] {
  return ['## Pools', poolNote, markdownTable(scenarios, poolColumns())];
}

/** The section of a report that shows where every operation went. */
export function accountingSection(scenarios: readonly ScenarioResult[]): string[] {
  const { note, rows, columns } = accountingTable(scenarios);
  return ['## Accounting', note, markdownTable(rows, columns)];
}
