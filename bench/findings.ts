/**
 * `npm run findings -- LEDGER…`: keeps these ledgers, as `npm run claims` leaves them, in results/, and writes what was
 * found into the docs. Without a ledger, it writes the docs again from those that are kept.
 *
 * What Git keeps of a ledger: `ledger.json`, the reports of its suites, and `tables.json`, the cells of docs/tuning.md.
 * The results themselves are too large.
 */
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Ledger } from '../src/aggregate/claims/ledger.ts';
import { resultName } from '../src/aggregate/report/files/result-files.ts';
import { readLedger } from '../src/main/run/claims/ledger-folder.ts';
import { readResult } from '../src/main/run/results/read-result.ts';
import { type Finding, fillIn, keptName, readFindings, root, writeFindings } from './findings-docs.ts';
import { type KeptTables, keepTables } from './tuning-tables.ts';

/** By their names; the other files of a suite are made of its result. */
const keptFiles = ['ledger.json', 'ledger.md', 'report.md', 'comparison.json', 'comparison.md'];

const before = await readFindings();
for (const folder of process.argv.slice(2)) await keep(folder);
const findings = await readFindings();
for (const [path, texts] of writeFindings(findings)) {
  const file = join(root, path);
  await writeFile(file, fillIn(await readFile(file, 'utf8'), texts));
  console.log(`Written: ${path}`);
}
for (const change of describeChanges(before, findings)) console.log(change);

/** Replaces what is kept of this server, whichever version it had. */
async function keep(folder: string): Promise<void> {
  const ledger = await readLedger(folder);
  expectWhole(folder, ledger);
  const tables: KeptTables = {};
  for (const { name, result } of ledger.suites) {
    if (result !== null && basename(result) === resultName)
      Object.assign(tables, keepTables(name, await readResult(join(folder, result))));
  }
  const results = join(root, 'results');
  const ofServer = `claims-${ledger.target.detected.server}-`;
  for (const name of await readdir(results))
    if (name.startsWith(ofServer)) await rm(join(results, name), { recursive: true });
  const kept = join(results, keptName(ledger));
  for (const path of await readdir(folder, { recursive: true })) {
    if (!keptFiles.includes(basename(path))) continue;
    await mkdir(dirname(join(kept, path)), { recursive: true });
    await cp(join(folder, path), join(kept, path));
  }
  await writeFile(join(kept, 'tables.json'), `${JSON.stringify(tables, null, 1)}\n`);
  console.log(`Kept: results/${basename(kept)}`);
}

/** @throws Error if the docs must not show this ledger */
function expectWhole(folder: string, { complete, settings, target }: Ledger): void {
  const { rounds, seconds, warmup } = settings;
  if (!complete) throw new Error(`${folder} is incomplete. Run its command again with --resume.`);
  if (target.standIn)
    throw new Error(`${folder} is of a stand-in, so it says nothing about the declared server.`);
  if ((rounds ?? seconds ?? warmup) !== undefined)
    throw new Error(
      `${folder} was made with --rounds, --seconds or --warmup. The docs show suites as they ship.`,
    );
}

/** Verdicts that are new: the prose of docs/tuning.md and README.md that rests on them is written by hand. */
function describeChanges(earlier: readonly Finding[], now: readonly Finding[]): string[] {
  const verdicts = (all: readonly Finding[], server: string) =>
    new Map(
      all
        .filter(({ ledger }) => ledger.target.detected.server === server)
        .flatMap(({ ledger }) => ledger.entries.map(({ id, verdict }) => [id, verdict] as const)),
    );
  return now.flatMap(({ name, ledger }) => {
    const { server } = ledger.target.detected;
    const old = verdicts(earlier, server);
    return [...verdicts(now, server)]
      .filter(([id, verdict]) => old.get(id) !== verdict)
      .map(
        ([id, verdict]) =>
          `${id} on ${name}: ${old.get(id) ?? 'not measured'} → ${verdict}; read the prose about it again.`,
      );
  });
}
