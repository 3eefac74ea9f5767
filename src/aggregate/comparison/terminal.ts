import { describeMeasured, describeUntested, splitClaims } from '../text/claim-words.ts';
import { formatMs, formatRate, formatRatioInterval, nothing, toOneLine } from '../text/format.ts';
import { describeTarget } from '../text/target-words.ts';
import { type Format, type Style, styleIf, terminalWidth, verdictColours } from '../text/terminal-style.ts';
import { alignColumns, wrapText } from '../text/text-layout.ts';
import { renderThresholds } from '../thresholds/terminal.ts';
import type { ComparedScenario, FairnessCheck, ResultComparison } from './schema.ts';
import { describeAlarms, describeOutcomes, describeRatios, describeTitle } from './words.ts';

const width = terminalWidth;
/** So much is left for a side's name beside three ratios with their intervals. */
const nameWidth = 18;
/** "not ok" and "unknown", and the space behind them. */
const stateWidth = 9;

/** A comparison for a terminal of 80 columns. */
export function renderComparison(comparison: ResultComparison, colour: boolean): string {
  const style = styleIf(colour);
  const paragraph = (text: string, format?: Format) =>
    wrapText(toOneLine(text), width).map(line => (format === undefined ? line : style(format, line)));
  const { told, silent } = splitClaims(comparison.claims, { atLeast: 0 });
  const untested = describeUntested(silent);
  const alarms = describeAlarms(comparison).map(alarm => paragraph(alarm, ['bold', 'yellow']));
  const blocks = [
    ...alarms,
    renderThresholds(comparison.thresholds, style),
    paragraph(describeTitle(comparison), 'bold'),
    comparison.sides.flatMap(({ name, target }) => hanging(`${name}: ${describeTarget(target)}`)),
    ...told.map(claim => [
      ...paragraph(`${claim.id} ${claim.verdict}: ${claim.statement}`, [
        'bold',
        verdictColours[claim.verdict],
      ]),
      ...wrapText(toOneLine(claim.reason), width, '  '),
      ...wrapText(describeMeasured(claim), width, '  '),
    ]),
    describeOutcomes(comparison).flatMap(sentence => paragraph(sentence)),
    renderScenarios(comparison.scenarios, style),
    describeRatios(comparison).flatMap(sentence => paragraph(sentence)),
    [
      style('bold', 'Is it fair?'),
      ...comparison.checks.flatMap(check => renderCheck(check, comparison, style)),
    ],
    untested === null ? [] : paragraph(untested),
    ...alarms,
  ];
  return `${blocks
    .filter(block => block.length > 0)
    .map(block => block.join('\n'))
    .join('\n\n')}\n`;
}

function renderScenarios(scenarios: readonly ComparedScenario[], style: Style): string[] {
  if (scenarios.length === 0) return [];
  const rows = scenarios.flatMap(({ sides }) =>
    sides.map(({ side, opsPerSecond, responseP95, responseP99, ratios }, index) => {
      const ms = (figure: typeof responseP95) =>
        figure === null ? nothing : `${formatMs(figure.median)} ms`;
      return [
        `  ${shortName(side, index)}`,
        ...(ratios === null
          ? [
              opsPerSecond === null ? nothing : formatRate(opsPerSecond.median),
              ms(responseP95),
              ms(responseP99),
            ]
          : [ratios.throughput, ratios.responseP95, ratios.responseP99].map(formatRatioInterval)),
      ];
    }),
  );
  const head = ['', 'ops/s', 'response p95', 'response p99'];
  const [heading = '', ...lines] = alignColumns([head, ...rows], [false, false, false, false]);
  return [
    style('dim', heading),
    ...scenarios.flatMap(({ id, sides, notes }) => [
      ...wrapText(toOneLine(id), width),
      ...lines.splice(0, sides.length),
      ...notes.flatMap(note => wrapText(toOneLine(note), width, '  ').map(line => style('yellow', line))),
    ]),
  ];
}

function renderCheck(
  { name, state, values, note }: FairnessCheck,
  { sides }: ResultComparison,
  style: Style,
): string[] {
  const alike = values.every(value => value === values[0]);
  const found = alike
    ? (values[0] ?? '')
    : values.map((value, index) => `${sides[index]?.name ?? ''}: ${value}`).join('; ');
  const text = toOneLine(`${name}: ${found}${note === '' ? '' : ` (${note})`}`);
  const lines = wrapText(text, width - stateWidth).map(
    (line, index) => (index === 0 ? state : '').padEnd(stateWidth) + line,
  );
  return state === 'ok' ? lines : lines.map(line => style('yellow', line));
}

/** A first line, and the rest of it indented. */
function hanging(text: string): string[] {
  const [first = '', ...rest] = wrapText(toOneLine(text), width - 2);
  return [first, ...rest.map(line => `  ${line}`)];
}

/** Two long names that begin alike are told apart by their place. */
function shortName(name: string, index: number): string {
  const clean = toOneLine(name);
  const place = `…${index + 1}`;
  return clean.length <= nameWidth ? clean : `${clean.slice(0, nameWidth - place.length)}${place}`;
}
