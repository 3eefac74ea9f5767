import { asMarkdown } from '../text/as-markdown.ts';
import { capitalise, toOneLine } from '../text/format.ts';
import { markdownCode, markdownTable } from '../text/markdown.ts';
import { numberColumn, textColumn } from '../text/table.ts';
import { describeSurroundings, describeTarget } from '../text/target-words.ts';
import { countVerdicts, type Ledger, type LedgerEntry, type LedgerSuite } from './ledger.ts';
import { describeAlarms, describeFigure, describeLimits, describeLuck, describeUnrunnable } from './words.ts';

/** A ledger as the text of `ledger.md`. Text from outside is escaped. */
export function renderLedgerMarkdown(ledger: Ledger): string {
  const alarms = describeAlarms(ledger).map(alarm => `> **${asMarkdown(alarm)}**`);
  return `${[
    `# Claims ledger: ${asMarkdown(ledger.name)}`,
    ...alarms,
    `${capitalise(countVerdicts(ledger.entries))}, against ${asMarkdown(describeTarget(ledger.target))}.`,
    ...paragraph(describeLuck(ledger)),
    verdictTable(ledger.entries),
    '## Why',
    ...ledger.entries.flatMap(reasonSection),
    '## Suites',
    suiteTable(ledger.suites),
    ...commandsSection(ledger.suites),
    '## Target and environment',
    environmentTable(ledger),
    '## Run it again',
    markdownCode('sh', toOneLine(ledger.command)),
    ...alarms,
  ].join('\n\n')}\n`;
}

/** A sentence, if there is one. */
function paragraph(text: string | null): string[] {
  return text === null ? [] : [asMarkdown(text)];
}

function commandsSection(suites: readonly LedgerSuite[]): string[] {
  const commands = suites.flatMap(({ command }) => (command === null ? [] : [toOneLine(command)]));
  const alone = [
    "Each runs alone with its command, from poolbench's own folder:",
    markdownCode('sh', commands.join('\n')),
  ];
  return [...(commands.length === 0 ? [] : alone), ...paragraph(describeUnrunnable(suites))];
}

function verdictTable(entries: readonly LedgerEntry[]): string {
  return markdownTable(entries, [
    textColumn('id', entry => entry.id),
    textColumn('claim', entry => entry.statement),
    textColumn('predicted', entry => entry.predicted),
    numberColumn('measured', describeFigure),
    textColumn('verdict', entry => entry.verdict),
    textColumn('limited by', describeLimits),
  ]);
}

function reasonSection({ id, verdict, reason, suite, result }: LedgerEntry): string[] {
  const source = result === null ? '' : ` (${link(suite, result)})`;
  return [`### ${asMarkdown(id)}: ${asMarkdown(verdict)}${source}`, asMarkdown(reason)];
}

function suiteTable(suites: readonly LedgerSuite[]): string {
  return markdownTable(suites, [
    {
      name: 'suite',
      text: ({ name }) => name,
      cell: ({ name, result }) => (result === null ? asMarkdown(name) : link(name, result)),
    },
    textColumn('claims', suite => suite.claims.join(', ')),
    textColumn('state', suite => suite.state),
    numberColumn('scenarios', suite => suite.scenarios),
    numberColumn('rounds', suite => suite.rounds),
    numberColumn('seconds', suite => suite.seconds),
    numberColumn('warm-up seconds', suite => suite.warmupSeconds),
    textColumn('note', suite => suite.note),
  ]);
}

/** A link to the report beside a result, which is what a reader wants. */
function link(text: string, result: string): string {
  const report = result
    .replace(/\bresult\.json$/, 'report.md')
    .replace(/\bcomparison\.json$/, 'comparison.md');
  return `[${asMarkdown(text)}](<${report.replace(/[<>|\\\p{Cc}]/gu, encodeURIComponent)}>)`;
}

function environmentTable(ledger: Ledger): string {
  const rows = describeSurroundings(ledger, '');
  return markdownTable(rows, [textColumn('', ([name]) => name), textColumn('', ([, value]) => value)]);
}
