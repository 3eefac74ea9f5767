import { assembleLedger, type JudgedSuite, type Ledger } from '../../aggregate/claims/ledger.ts';
import { ledgerDocument } from '../../aggregate/report/documents/ledger.ts';
import { renderTerminal } from '../../aggregate/report/terminal.ts';
import { joinHosts } from '../../aggregate/stats/hosts.ts';
import { timeOfDay } from '../../pool/clock.ts';
import { asTypedHere, optionWords, quote, shownFolder } from '../command-words.ts';
import type { PoolbenchError } from '../errors.ts';
import type { Options, SessionOption } from '../options.ts';
import { readLedger, readSuite, writeLedger } from '../run/claims/ledger-folder.ts';
import { allSuites, describeCold, planSuites, type Suite } from '../run/claims/plan-suites.ts';
import { runSuites } from '../run/claims/run-suites.ts';
import { readTarget } from '../run/claims/target-argument.ts';
import { expectSameSubject, subjectOf } from '../run/earlier-run.ts';
import { expectNoError } from '../run/exit-code.ts';
import { expectEnded } from '../run/left-keys.ts';
import { findResults } from '../run/results/read-result.ts';
import { Session } from '../run/session.ts';
import type { Target } from '../server/find-target.ts';
import { enlistFor } from './agent-options.ts';

/** Settings that a ledger stores, so that all suites use the same ones. */
const kept = ['rounds', 'seconds', 'warmup', 'seed'] as const;

/**
 * `poolbench claims TARGET`: runs every suite against one target and keeps one ledger of all verdicts. The ledger goes
 * to standard output, progress to standard error.
 *
 * @returns the exit code
 * @throws PoolbenchError for a failure before anything was measured, or the first one that ended a suite early
 */
export async function claims(
  typed: string,
  options: Options<SessionOption | 'rounds' | 'resume' | 'start'>,
  suites: readonly Suite[] = allSuites,
): Promise<number> {
  const wanted = await readTarget(typed);
  const earlier = options.resume === undefined ? undefined : await readLedger(options.resume);
  const settings = earlier?.settings ?? settingsOf(options);
  const plan = await planSuites(suites, wanted, settings, { onAgents: options.agents !== undefined });

  const { 'no-stand-in': noStandIn, force, start, agents, group } = options;
  const commandWith = (given: Options<'resume' | (typeof kept)[number]>) =>
    asTypedHere(
      'claims',
      quote(wanted.typed),
      ...optionWords({ ...given, 'no-stand-in': noStandIn, force, start, agents, group }),
    );
  const printResumeCommand = (folder: string) => {
    const secret = wanted.typed === typed ? '' : ' (with the password in the URL)';
    process.stderr.write(`To resume this ledger${secret}: ${commandWith({ resume: shownFolder(folder) })}\n`);
  };
  const sessionOptions = {
    name: `claims-${wanted.name}`,
    folder: options.resume,
    onExit: printResumeCommand,
    enlist: enlistFor(
      options,
      `claims-${wanted.name}`,
      plan.flatMap(suite => suite.plan.sides.map(({ experiment }) => experiment)),
    ),
  };
  return await Session.run(options, sessionOptions, async session => {
    const { resultsFolder: folder, progress } = session;
    const left: JudgedSuite[] = [];
    for (const suite of plan) left.push(await readSuite(folder, suite));
    const machines = session.agents?.hosts.map(({ threads: _, roundTripMs: __, ...machine }) => machine);
    const accept = async (target: Target) => {
      if (earlier === undefined) return;
      expectSameSubject('ledger', earlier, subjectOf(target, { hosts: machines }));
      for (const file of await findResults(folder)) await expectEnded({ file, control: target.control });
    };
    const target = await session.openTarget(wanted, { isNamed: wanted.option[0] === '--url', accept });
    const now = subjectOf(target, { hosts: machines });
    const head = {
      ...(earlier ?? {
        ...{ target: now.target, environment: now.environment, tool: now.tool },
        name: wanted.name,
        startedAt: session.startedAt.toISOString(),
        command: commandWith(settings),
        settings,
      }),
      ...(machines === undefined ? {} : { hosts: joinHosts(earlier?.hosts ?? [], machines) }),
    };
    const words = suites.flatMap(suite => suite.claims);
    let ledger = assembleLedger(head, words, left, timeOfDay());
    // If the disk is full, the results are still printed.
    let unwritten: PoolbenchError | undefined;
    const keep = async (suites: readonly JudgedSuite[]) => {
      ledger = assembleLedger(head, words, suites, timeOfDay());
      unwritten = (await writeLedger(folder, ledger)).error;
    };
    await keep(left);
    const cold = describeCold(plan, settings);
    if (cold !== null) progress.say(cold);
    const error = await runSuites(plan, left, { session, target }, keep);
    session.print(ledger, colour => renderTerminal(ledgerDocument(ledger), colour));
    if (unwritten === undefined) session.sayWritten('ledger.json and ledger.md, and a folder for each suite');
    else progress.say(`\nwarning: ${unwritten.message}`);
    if (!ledger.complete) printResumeCommand(folder);
    const { interrupted } = session;
    expectNoError(error, { interrupted });
    if (interrupted) return 130;
    if (unwritten !== undefined) throw unwritten;
    return 0;
  });
}

function settingsOf(options: Options<(typeof kept)[number]>): Ledger['settings'] {
  const given = kept.filter(name => options[name] !== undefined);
  return Object.fromEntries(given.map(name => [name, options[name]]));
}
