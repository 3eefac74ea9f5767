import { assembleLedger, type JudgedSuite, type Ledger } from '../../aggregate/ledger/ledger.ts';
import { ledgerDocument } from '../../aggregate/report/documents/ledger.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { readLedger, readSuite, writeLedger } from '../claims/ledger-folder.ts';
import { describeCold, planSuites } from '../claims/plan-suites.ts';
import { runSuites } from '../claims/run-suites.ts';
import { allSuites, type Suite } from '../claims/suites.ts';
import { type ClaimsTarget, readTarget } from '../claims/target-argument.ts';
import { claimsCommand, resumeLedgerCommand } from '../command-words.ts';
import type { Experiment } from '../config/experiment.ts';
import { describeEnvironment, describeTool } from '../environment.ts';
import { PoolbenchError } from '../errors.ts';
import { onInterrupt } from '../interrupt.ts';
import { Progress } from '../live/progress.ts';
import type { ClaimsFlags } from '../parse-command-line.ts';
import type { PlannedSide } from '../plan/sides.ts';
import { printOutput } from '../results/print-output.ts';
import { removeEmptyFolders } from '../results/remove-empty-folders.ts';
import { createResultsFolder } from '../results/results-folder.ts';
import { expectNoError } from '../run/exit-code.ts';
import { meetTarget, shoutBanners } from '../run/meet-target.ts';
import { expectSameSubject } from '../run/same-subject.ts';
import { shownFolder } from '../shown-folder.ts';
import type { Target } from '../target/resolve.ts';
import { shownTarget } from '../target/shown-target.ts';

/** Settings that a ledger keeps, so that all of it is measured alike. */
const kept = ['rounds', 'seconds', 'warmup', 'seed'] as const;

/**
 * `poolbench claims TARGET`: runs every suite against one target, and keeps one ledger of all verdicts. It goes to
 * standard output, everything on the way there to standard error.
 *
 * @returns the exit code
 * @throws PoolbenchError for what is wrong before anything was measured; or the first that ended a suite early
 */
export async function claims(
  typed: string,
  flags: ClaimsFlags,
  suites: readonly Suite[] = allSuites,
): Promise<number> {
  const wanted = await readTarget(typed);
  const earlier = flags.resume === undefined ? undefined : await readEarlier(flags.resume, flags);
  const settings = earlier?.settings ?? settingsOf(flags);
  const plan = await planSuites(suites, wanted, settings);

  const startedAt = new Date();
  const progress = await Progress.open(process.stderr, flags);
  const folder =
    flags.resume ?? (await createResultsFolder(flags.out ?? 'results', `claims-${wanted.name}`, startedAt));
  const interrupt = new AbortController();
  const forget = onInterrupt(
    () => interrupt.abort(),
    line => progress.say(line),
  );
  const standInAllowed = flags['no-stand-in'] !== true;
  const force = flags.force === true;
  const making: Making = { typed, wanted, folder, standInAllowed, force, progress, signal: interrupt.signal };
  let target: Target | undefined;
  try {
    const left: JudgedSuite[] = [];
    for (const suite of plan) left.push(await readSuite(folder, suite));
    target = await find(wanted, making);
    progress.meet('', shownTarget(target));
    const now = {
      target: shownTarget(target),
      environment: describeEnvironment(),
      tool: describeTool(),
    };
    const head = earlier ?? {
      ...now,
      name: wanted.name,
      startedAt: startedAt.toISOString(),
      command: claimsCommand(wanted.typed, settings, { standInAllowed, force }),
      settings,
    };
    expectSameSubject('ledger', head, now);
    const words = suites.flatMap(suite => suite.claims);
    let ledger = assembleLedger(head, words, left, new Date());
    // A disk that fills up must not keep what is measured from being printed.
    let unwritten: PoolbenchError | undefined;
    const keep = async (suites: readonly JudgedSuite[]) => {
      ledger = assembleLedger(head, words, suites, new Date());
      unwritten = await writeLedger(folder, ledger).then(
        () => undefined,
        (cause: unknown) => {
          if (!(cause instanceof PoolbenchError)) throw cause;
          return cause;
        },
      );
    };
    await keep(left);
    const cold = describeCold(plan, settings);
    if (cold !== null) progress.say(cold);
    const findOther = async ({ name, experiment }: PlannedSide) => {
      const other = await find(experiment, making, { onFreePort: true });
      progress.meet(name, shownTarget(other));
      return other;
    };
    const run = { folder, target, findOther, progress, signal: interrupt.signal, force };
    const error = await runSuites(plan, left, run, keep);
    progress.say('');
    printOutput(ledger, {
      json: flags.json,
      render: colour => renderTerminal(ledgerDocument(ledger), colour),
    });
    if (flags.json) shoutBanners(target);
    progress.say(
      unwritten === undefined
        ? `\nWritten: ${shownFolder(folder)}/ledger.json and ledger.md, beside a folder for each suite`
        : `\nwarning: ${unwritten.message}`,
    );
    if (!ledger.complete) sayHowToGoOn(making);
    expectNoError(error, { interrupted: interrupt.signal.aborted });
    if (interrupt.signal.aborted) return 130;
    if (unwritten !== undefined) throw unwritten;
    return 0;
  } finally {
    await progress.close();
    await target?.stop();
    removeEmptyFolders([folder]);
    forget();
  }
}

/** What it takes to find a server, and to say how to go on. */
interface Making {
  readonly typed: string;
  readonly wanted: ClaimsTarget;
  readonly folder: string;
  readonly standInAllowed: boolean;
  readonly force: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** Finds or starts a server; an interrupt meanwhile ends the process. */
function find(
  experiment: Pick<Experiment, 'target' | 'timeoutMs'>,
  making: Making,
  { onFreePort } = { onFreePort: false },
): Promise<Target> {
  const { standInAllowed, progress, signal } = making;
  return meetTarget(experiment, {
    standInAllowed,
    onFreePort,
    say: line => progress.say(line),
    signal,
    beforeExit() {
      if (removeEmptyFolders([making.folder])) sayHowToGoOn(making);
    },
  });
}

function sayHowToGoOn({ typed, wanted, folder, standInAllowed, force }: Making): void {
  const command = resumeLedgerCommand(wanted.typed, folder, { standInAllowed, force });
  const secret = wanted.typed === typed ? '' : ' (with the password in the URL)';
  process.stderr.write(`To go on with this ledger${secret}: ${command}\n`);
}

/** The ledger to go on with, which has its settings already. */
async function readEarlier(folder: string, flags: ClaimsFlags): Promise<Ledger> {
  const given = [...kept, 'out' as const].filter(name => flags[name] !== undefined);
  if (given.length > 0) {
    throw new PoolbenchError(
      'USAGE',
      `expected no --${given.join(', --')} with --resume: the rest of a ledger is measured like its beginning, into its folder`,
    );
  }
  return await readLedger(folder);
}

function settingsOf(flags: ClaimsFlags): Ledger['settings'] {
  const given = kept.filter(name => flags[name] !== undefined);
  return Object.fromEntries(given.map(name => [name, flags[name]]));
}
