import { countVerdicts, type Ledger, type LedgerEntry, type LedgerSuite } from '../../claims/ledger.ts';
import { describeControl } from '../../stats/control.ts';
import { falseVerdictChance } from '../../stats/sign-test.ts';
import { sumOf } from '../../stats/statistics.ts';
import { capitalise, formatList, formatPlural, formatRatioInterval, nothing } from '../../text/format.ts';
import { describeTarget, targetBanners } from '../../text/target-words.ts';
import {
  alerts,
  type Block,
  code,
  details,
  figures,
  heading,
  type Item,
  link,
  list,
  narrow,
  only,
  paragraph,
  type Span,
  strong,
  type Table,
  table,
  wide,
  words,
} from '../blocks.ts';
import { environmentBlocks, formatMeasured } from './parts.ts';

/** A ledger: the number of verdicts, and each verdict with what decided it; in a file also every reason and suite. */
export function ledgerDocument(ledger: Ledger): Block[] {
  const { entries, suites } = ledger;
  const alarms = alerts([...targetBanners(ledger), describeUnfinished(ledger)]);
  const luck = describeLuck(ledger);
  const counts = `${capitalise(countVerdicts(entries))}.`;
  return [
    ...only(wide, [heading(1, `Claims ledger: ${ledger.name}`)]),
    ...alarms,
    ...only(narrow, [heading(2, counts)]),
    ...only(wide, [paragraph([strong(counts)])]),
    paragraph(`${ledger.name}, measured on ${describeTarget(ledger.target)}`),
    ...(luck === null ? [] : [paragraph(luck)]),
    ...only(
      narrow,
      entries.map(entry => entryDetails(entry, suites)),
    ),
    ...only(wide, [
      verdictTable(entries, suites),
      heading(2, 'Why'),
      ...entries.flatMap(reasonBlocks),
      heading(2, 'Suites'),
      suiteTable(suites),
      ...suiteCommands(suites),
    ]),
    ...environmentBlocks(ledger),
    ...only(wide, [heading(2, 'Run it again'), code('sh', 'The command', [ledger.command])]),
    ...alarms,
  ];
}

function describeUnfinished({ complete, suites }: Ledger): string | null {
  if (complete) return null;
  const possible = suites.filter(({ state }) => state !== 'impossible');
  const done = possible.filter(({ state }) => state === 'complete').length;
  return `INCOMPLETE: ${done} of ${formatPlural(possible.length, 'suite')} ran to the end.`;
}

/** How many of the verdicts could be due to chance, over all predictions of all claims; null without verdicts. */
function describeLuck({ entries }: Ledger): string | null {
  const chances = entries
    .filter(({ verdict }) => verdict === 'supported' || verdict === 'refuted')
    .map(({ predictions }) => falseVerdictChance(predictions));
  if (chances.length === 0) return null;
  const expected = sumOf(chances, chance => chance);
  const these = chances.length === 1 ? 'this verdict' : `these ${formatPlural(chances.length, 'verdict')}`;
  return `If every true value lay exactly on its threshold, chance alone would make up to ${Number(expected.toPrecision(2))} of ${these} false.`;
}

/** "×1.41 [1.35, 1.47]", "0.412 [0.401, 0.430] ms", or a dash. */
function formatFigure(entry: LedgerEntry): string {
  return formatMeasured(entry) ?? nothing;
}

/** "client, nothing saturated", or a dash. */
function formatLimits({ limitedBy }: LedgerEntry): string {
  if (limitedBy.length === 0) return nothing;
  return limitedBy.map(resource => (resource === 'none' ? 'nothing saturated' : resource)).join(', ');
}

/** What decided it; without such a line, the reason. */
function entryDetails(entry: LedgerEntry, suites: readonly LedgerSuite[]): Block {
  const control = controlOf(entry, suites);
  const { id, verdict, statement, predicted, measured, limitedBy, gist, reason } = entry;
  const items: Item[] = [
    { label: 'predicted', text: predicted },
    ...(measured === null ? [] : [{ label: 'measured', text: formatFigure(entry) }]),
    ...(limitedBy.length === 0 ? [] : [{ label: 'limited by', text: formatLimits(entry) }]),
    { label: 'why', text: gist || reason },
    ...(control === undefined ? [] : [{ label: 'control', text: describeControl(control) }]),
  ];
  return details(`${id} ${verdict}: ${statement}`, [list(items)], { tone: verdict });
}

/** The two identical arms of the run that an entry was judged on. */
function controlOf({ suite, result }: LedgerEntry, suites: readonly LedgerSuite[]): LedgerSuite['control'] {
  return result === null ? undefined : suites.find(({ name }) => name === suite)?.control;
}

function verdictTable(entries: readonly LedgerEntry[], suites: readonly LedgerSuite[]): Table {
  const hasControl = entries.some(entry => controlOf(entry, suites) !== undefined);
  const formatControl = (entry: LedgerEntry) => {
    const control = controlOf(entry, suites);
    return control === undefined ? nothing : formatRatioInterval(control.ratio);
  };
  return table(entries, [
    words('id', entry => entry.id),
    words('claim', entry => entry.statement),
    words('predicted', entry => entry.predicted),
    figures('measured', formatFigure),
    words('verdict', entry => entry.verdict),
    ...(hasControl ? [figures('two identical arms', formatControl)] : []),
    words('limited by', formatLimits),
  ]);
}

function reasonBlocks({ id, verdict, reason, suite, result }: LedgerEntry): Block[] {
  const source = result === null ? [] : [' (', reportLink(suite, result), ')'];
  return [heading(3, [`${id}: ${verdict}`, ...source]), paragraph(reason)];
}

function suiteTable(suites: readonly LedgerSuite[]): Table {
  return table(suites, [
    words('suite', ({ name, result }) => (result === null ? name : [reportLink(name, result)])),
    words('claims', suite => suite.claims.join(', ')),
    words('state', suite => suite.state),
    figures('scenarios', suite => suite.scenarios),
    figures('rounds', suite =>
      suite.state === 'not run' || suite.state === 'impossible' ? nothing : suite.rounds,
    ),
    figures('seconds', suite => suite.seconds),
    figures('warm-up seconds', suite => suite.warmupSeconds),
    words('note', suite => suite.note),
  ]);
}

/** Link to the report next to a result, which is easier to read. */
function reportLink(text: string, result: string): Span {
  return link(
    text,
    result.replace(/\bresult\.json$/, 'report.md').replace(/\bcomparison\.json$/, 'comparison.md'),
  );
}

/** Suites with their own command, and those without. */
function suiteCommands(suites: readonly LedgerSuite[]): Block[] {
  const commands = suites.flatMap(({ command }) => command ?? []);
  const others = suites.filter(({ command }) => command === null).map(({ name }) => name);
  const blocks: Block[] = [];
  if (commands.length > 0)
    blocks.push(
      paragraph("Each suite can be run alone with its command, from poolbench's own folder:"),
      code('sh', 'The commands of the suites', commands),
    );
  if (others.length > 0)
    blocks.push(
      paragraph(`${formatList(others)}: only by npm run claims -- …, because it needs two servers.`),
    );
  return blocks;
}
