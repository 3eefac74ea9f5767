import { capitalise, toOneLine } from '../text/format.ts';
import { describeTarget } from '../text/target-words.ts';
import {
  type Format,
  type Style,
  styleIf,
  verdictColours,
  terminalWidth as width,
} from '../text/terminal-style.ts';
import { wrapText } from '../text/text-layout.ts';
import { countVerdicts, type Ledger, type LedgerEntry } from './ledger.ts';
import { describeAlarms, describeFigure, describeGist, describeLimits, describeLuck } from './words.ts';

/** A ledger for a terminal of 80 columns: the verdicts counted, then a block for each claim. */
export function renderLedger(ledger: Ledger, colour: boolean): string {
  const style = styleIf(colour);
  const paragraph = (text: string, format: Format) =>
    wrapText(toOneLine(text), width).map(line => style(format, line));
  const alarms = describeAlarms(ledger).map(alarm => paragraph(alarm, ['bold', 'yellow']));
  const luck = describeLuck(ledger);
  const blocks = [
    ...alarms,
    [
      ...paragraph(`${capitalise(countVerdicts(ledger.entries))}.`, 'bold'),
      ...wrapText(`${toOneLine(ledger.name)} against ${describeTarget(ledger.target)}`, width),
      ...(luck === null ? [] : wrapText(luck, width)),
    ],
    ...ledger.entries.map(entry => renderEntry(entry, style)),
    ...alarms,
  ];
  return `${blocks.map(block => block.join('\n')).join('\n\n')}\n`;
}

function renderEntry(entry: LedgerEntry, style: Style): string[] {
  const title = wrapText(toOneLine(`${entry.id} ${entry.verdict}: ${entry.statement}`), width);
  return [
    ...title.map(line => style(['bold', verdictColours[entry.verdict]], line)),
    ...labelled('predicted', entry.predicted),
    ...(entry.measured === null ? [] : labelled('measured', describeFigure(entry))),
    ...(entry.limitedBy.length === 0 ? [] : labelled('limited by', describeLimits(entry))),
    ...labelled('why', describeGist(entry)),
  ];
}

const labelWidth = 'limited by'.length + 2;

/** A label, and its text beside it. */
function labelled(label: string, text: string): string[] {
  const indent = '  ';
  const lines = wrapText(toOneLine(text), width, indent + ' '.repeat(labelWidth));
  return lines.map((line, index) =>
    index === 0 ? indent + label.padEnd(labelWidth) + line.trimStart() : line,
  );
}
