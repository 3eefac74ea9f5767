import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { claims } from '../src/aggregate/claims/claims.ts';
import { type Ledger, type LedgerEntry, ledgerSchema } from '../src/aggregate/claims/ledger.ts';
import { comparisonSchema } from '../src/aggregate/comparison/schema.ts';
import { type Block, figures, list, paragraph, table, words } from '../src/aggregate/report/blocks.ts';
import { formatMeasured } from '../src/aggregate/report/documents/parts.ts';
import { renderMarkdown } from '../src/aggregate/report/markdown.ts';
import { formatList, formatRatioInterval } from '../src/aggregate/text/format.ts';
import { type KeptTable, keptTablesSchema, tuningTables } from './tuning-tables.ts';

/**
 * What was found, as text for the docs, from the ledgers that are kept in results/. The docs have it between two markers,
 * `<!-- findings: NAME -->` and `<!-- end of findings -->`; all else in them is written by hand.
 */

/** A kept ledger, as far as the docs show it. */
export type Finding = Awaited<ReturnType<typeof readFinding>>;

/** The folder of poolbench's repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The folder that keeps the ledger of a server, as Git has it: `claims-redis-7.0`. */
export function keptName({ target: { detected } }: Pick<Ledger, 'target'>): string {
  return `claims-${detected.server}-${detected.version.split('.').slice(0, 2).join('.')}`;
}

/** All kept ledgers, Redis first. */
export async function readFindings(): Promise<Finding[]> {
  const folders = (await readdir(join(root, 'results'))).filter(name => name.startsWith('claims-'));
  const findings = await Promise.all(folders.map(readFinding));
  const place = ({ ledger }: Finding) => order.indexOf(ledger.target.detected.server);
  return findings.sort((a, b) => place(a) - place(b));
}

const order = ['redis', 'valkey', 'dragonfly'];

async function readFinding(folder: string) {
  const read = async (path: string): Promise<unknown> =>
    JSON.parse(await readFile(join(root, 'results', folder, path), 'utf8'));
  const ledger = ledgerSchema.parse(await read('ledger.json'));
  const { server, version } = ledger.target.detected;
  const hasVersus = ledger.suites.some(({ name, state }) => name === 'versus' && state === 'complete');
  return {
    folder,
    /** "Redis 7.0", as a heading has it. */
    name: `${titleOf(server)} ${version.split('.').slice(0, 2).join('.')}`,
    ledger,
    tables: keptTablesSchema.parse(await read('tables.json')),
    versus: hasVersus ? comparisonSchema.parse(await read('versus/comparison.json')) : null,
  };
}

const titleOf = (server: string) => server.charAt(0).toUpperCase() + server.slice(1);

/** The docs that show findings, with the texts between their markers, by name. */
export function writeFindings(
  findings: readonly Finding[],
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const rendered = (blocks: Record<string, readonly Block[]>) =>
    new Map(Object.entries(blocks).map(([name, content]) => [name, renderMarkdown(content)]));
  return new Map([
    ['README.md', rendered({ verdicts: verdictBlocks(findings, inReadme) })],
    [
      'docs/claims.md',
      rendered({
        sources: sourceBlocks(findings),
        verdicts: verdictBlocks(findings, allIds),
        open: [openList(findings)],
      }),
    ],
    [
      'docs/tuning.md',
      rendered({
        sources: sourceBlocks(findings),
        versus: [...suiteVerdicts('versus', findings), ...versusBlocks(findings)],
        ...Object.fromEntries(
          tuningTables.map(({ name, suite }, index) => [
            name,
            [
              // Above the first table of the suite.
              ...(tuningTables.findIndex(table => table.suite === suite) === index
                ? suiteVerdicts(suite, findings)
                : []),
              ...tuningBlocks(name, findings),
            ],
          ]),
        ),
      }),
    ],
  ]);
}

/**
 * A document with these texts between its markers.
 *
 * @throws Error if a marker has no text, or a text no marker: then a part of the document would be stale
 */
export function fillIn(document: string, texts: ReadonlyMap<string, string>): string {
  const found = new Set<string>();
  const filled = document.replace(
    /(<!-- findings: (\S+) -->\n).*?(<!-- end of findings -->)/gs,
    (_, start: string, name: string) => {
      const text = texts.get(name);
      if (text === undefined) throw new Error(`No finding is called ${name}, which a marker asks for.`);
      found.add(name);
      return `${start}\n${text}\n<!-- end of findings -->`;
    },
  );
  const without = [...texts.keys()].filter(name => !found.has(name));
  if (without.length > 0) throw new Error(`The document has no marker for: ${formatList(without)}.`);
  return filled;
}

/** The claims of README's table: what a reader would ask first. */
const inReadme = ['C1', 'C20', 'C4', 'C5', 'C19', 'C11', 'C17', 'C16'];

const allIds = claims.map(({ id }) => id);

/** Where the figures come from: each server, its machine, when, and by which version's rules. */
function sourceBlocks(findings: readonly Finding[]): Block[] {
  return [
    list(
      findings.map(({ folder, ledger }) => {
        const { detected } = ledger.target;
        return {
          text: [
            `${titleOf(detected.server)} ${detected.version}: ${ledger.startedAt.slice(0, 10)}, by poolbench ${ledger.tool.version}, on ${ledger.environment.cores} cores (`,
            { text: 'ledger', link: `../results/${folder}/ledger.md` },
            ')',
          ],
        };
      }),
    ),
  ];
}

/** A row for each of these claims, with the verdict and figure of every server. */
function verdictBlocks(findings: readonly Finding[], ids: readonly string[]): Block[] {
  const shown = ids.flatMap(id => claims.find(claim => claim.id === id) ?? []);
  const verdicts = table(shown, [
    words('', ({ id }) => id),
    words('claim', ({ statement }) => statement),
    ...findings.map(finding =>
      words(finding.name, ({ id }: (typeof shown)[number]) => verdictOf(finding, id)),
    ),
  ]);
  return [verdicts];
}

/** "supported ×1.66 [1.41, 1.88]", or "not measured yet". */
function verdictOf({ ledger }: Finding, id: string): string {
  const entry = ledger.entries.find(one => one.id === id);
  if (entry === undefined || isReworded(entry)) return 'not measured yet';
  const figure = formatMeasured(entry);
  return `${entry.verdict}${figure === null ? '' : ` ${figure}`}`;
}

/** Whether an earlier version judged another claim under this id: its verdict is none on this one. */
function isReworded({ id, predicted }: LedgerEntry): boolean {
  return claims.find(claim => claim.id === id)?.predicted !== predicted;
}

/** What each verdict that was not reached leaves open, and what it excludes. */
function openList(findings: readonly Finding[]): Block {
  const open = findings.flatMap(({ name, ledger }) =>
    ledger.entries
      .filter(entry => entry.verdict === 'inconclusive' && !isReworded(entry))
      .map(entry => ({ name, entry })),
  );
  if (open.length === 0) return paragraph('Nothing is open.');
  return list(
    open
      .sort((a, b) => a.entry.id.localeCompare(b.entry.id, 'en', { numeric: true }))
      .map(({ name, entry }) => ({
        text: [{ text: entry.id, strong: true }, ` on ${name}: ${shorten(entry.gist || entry.reason)}`],
      })),
  );
}

/** The first sentences of a text, as many as fit; at least one. */
function shorten(text: string): string {
  const [first = '', ...others] = text.split(/(?<=[^\d.]\.) (?=[A-Z\d])/);
  let short = first;
  for (const sentence of others) {
    if (short.length + sentence.length > maxGist) break;
    short += ` ${sentence}`;
  }
  return short;
}

/** Characters; three lines of a page. */
const maxGist = 320;

/** "C17: refuted ×1.55 [1.35, 1.69] on Redis 7.0; supported on Valkey 8.0.", for each claim of a suite. */
function suiteVerdicts(suite: string, findings: readonly Finding[]): Block[] {
  return claims
    .filter(claim => claim.suite === suite)
    .map(({ id }) => {
      const verdicts = findings.map(finding => `${verdictOf(finding, id)} on ${finding.name}`);
      return paragraph([{ text: id, strong: true }, `: ${verdicts.join('; ')}.`]);
    });
}

/** A row for each arm and server; of few figures, a row for each arm, with the servers side by side. */
function tuningBlocks(name: string, findings: readonly Finding[]): Block[] {
  const measured = findings.flatMap(finding => {
    const kept = finding.tables[name];
    return kept === undefined ? [] : [{ server: finding.name, kept }];
  });
  if (measured.length === 0) return [paragraph('Not measured yet.')];
  const names = [...new Set(measured.flatMap(({ kept }) => kept.rows.map(row => row.name)))];
  const columns = [...new Set(measured.flatMap(({ kept }) => kept.columns))];
  if (columns.length <= 2) {
    const beside = measured.flatMap(({ server, kept }) => columns.map(column => ({ server, kept, column })));
    return [
      table(names, [
        words('', row => row),
        ...beside.map(({ server, kept, column }) =>
          figures(`${server}: ${column}`, (row: string) => cellOf(kept, row, column)),
        ),
      ]),
    ];
  }
  const rows = names.flatMap(row =>
    measured
      .filter(({ kept }) => kept.rows.some(one => one.name === row))
      .map((one, index) => ({ ...one, row, title: index === 0 ? row : '' })),
  );
  return [
    table(rows, [
      words('', ({ title }) => title),
      words('', ({ server }) => server),
      ...columns.map(column =>
        figures(column, ({ kept, row }: (typeof rows)[number]) => cellOf(kept, row, column)),
      ),
    ]),
  ];
}

function cellOf({ columns, rows }: KeptTable, row: string, column: string): string {
  return rows.find(({ name }) => name === row)?.cells[columns.indexOf(column)] ?? '';
}

/** Servers that were measured in turn, each relative to the first side. If several ledgers have a pair, the newest is shown. */
function versusBlocks(findings: readonly Finding[]): Block[] {
  const shown = new Set<string>();
  const measuredAt = ({ versus }: Finding) => Date.parse(versus?.sides[0]?.startedAt ?? '') || 0;
  const newestFirst = findings.toSorted((a, b) => measuredAt(b) - measuredAt(a));
  const blocks = newestFirst.flatMap(({ ledger, versus }) =>
    (versus?.sides.slice(1) ?? []).flatMap(side => {
      const [base] = versus?.sides ?? [];
      const pair = `${describeServer(side)} relative to ${describeServer(base)}`;
      if (shown.has(pair)) return [];
      shown.add(pair);
      const rows = (versus?.scenarios ?? []).flatMap(({ id, sides }) => {
        const other = sides.find(one => one.side === side.name);
        const ratios = other?.ratios ?? null;
        const limits = [sides[0], other].map(one => one?.limitedBy.resource ?? '').join(', ');
        return ratios === null ? [] : [{ id, ratios, limits }];
      });
      return [
        paragraph(`${pair}, on ${base?.startedAt.slice(0, 10)} by poolbench ${ledger.tool.version}:`),
        table(rows, [
          words('scenario', ({ id }) => id),
          figures('throughput', ({ ratios }) => formatRatioInterval(ratios.throughput)),
          figures('p95', ({ ratios }) => formatRatioInterval(ratios.responseP95)),
          words('limited by', ({ limits }) => limits),
        ]),
      ];
    }),
  );
  return blocks.length === 0 ? [paragraph('Not measured yet.')] : blocks;
}

function describeServer(side: { readonly target: Ledger['target'] } | undefined): string {
  if (side === undefined) return '';
  const { server, version } = side.target.detected;
  return `${titleOf(server)} ${version}`;
}
