import { join } from 'node:path';
import { compareResults } from '../../aggregate/comparison/compare-results.ts';
import type { ResultComparison } from '../../aggregate/comparison/schema.ts';
import { resultName } from '../../aggregate/report/files/result-files.ts';
import { wasRunning } from '../../aggregate/text/target-words.ts';
import { asError } from '../errors.ts';
import { findClients, keptClients } from '../experiment/clients.ts';
import { describePlan } from '../experiment/describe-plan.ts';
import type { Plan } from '../experiment/plan.ts';
import type { Target } from '../server/find-target.ts';
import { describeEarlier, type EarlierRun, expectSameSubject, subjectOf } from './earlier-run.ts';
import { expectEnded } from './left-keys.ts';
import type { LoadableSide } from './preflight-side.ts';
import { writeComparison } from './results/results-folder.ts';
import { type RoundsOutcome, runPlan } from './rounds.ts';
import { Session, type SessionFlags, type SessionOptions } from './session.ts';
import type { Side } from './side.ts';

/** What a run measured, and the error that ended it early or prevented writing. */
export interface RunOutcome extends RoundsOutcome {
  /** Compares the other sides with the first; null if the run has one side. */
  readonly comparison: ResultComparison | null;
  /** The names of the written files, as text; empty if there are none. */
  readonly comparisonFiles: string;
}

interface RunOptions extends Pick<SessionOptions, 'name' | 'folder' | 'caller' | 'enlist'> {
  /** What the run already has, if it is resumed. */
  readonly earlier?: EarlierRun | undefined;
}

/**
 * Finds the targets of a plan, measures and writes: shared by the command run and the library. A single side has its
 * results in the run's folder; each of several has a folder in it, next to the comparison.
 *
 * @param conclude converts the outcome to the return value, within the session
 * @throws PoolbenchError for a failure before anything was measured; as `conclude`
 */
export async function runSides<T>(
  plan: Plan,
  flags: SessionFlags,
  { earlier, ...options }: RunOptions,
  conclude: (outcome: RunOutcome, session: Session) => T,
): Promise<T> {
  // Before a server is started or downloaded for a run that is impossible.
  const loadable: LoadableSide[] = [];
  for (const side of plan.sides) loadable.push({ ...side, clients: await findClients(side) });
  const several = plan.sides.length > 1;
  const parts = several ? plan.sides.map(side => side.name) : [];
  return await Session.run(flags, { ...options, parts }, async session => {
    const { progress } = session;
    const sides: Side[] = [];
    for (const [index, side] of loadable.entries()) {
      const sideOptions = several ? { side: side.name, onFreePort: true } : {};
      // A server that ran before the interruption is not replaced by a new one.
      const isNamed =
        flags.url !== undefined || (earlier !== undefined && wasRunning(earlier.subject.target));
      const accept = async (target: Target) => {
        if (earlier === undefined) return;
        const now = { hosts: session.agents?.hosts, clients: keptClients(side.clients) };
        expectSameSubject('run', earlier.subject, subjectOf(target, now));
        await expectEnded({ file: join(earlier.folder, resultName), control: target.control });
      };
      const target = await session.openTarget(side.experiment, { ...sideOptions, isNamed, accept });
      sides.push({ ...side, target, folder: session.parts[index] ?? session.folder });
    }
    progress.say(describePlan(plan));
    if (earlier !== undefined) progress.say(describeEarlier(earlier));
    const outcome = await runPlan(plan, { sides, session, earlier });
    const results = outcome.sides.map(({ result }) => result);
    const comparison = several ? compareResults(results, plan.gates) : null;
    let { error } = outcome;
    let comparisonFiles = '';
    if (comparison !== null && session.folder !== null) {
      try {
        comparisonFiles = await writeComparison(session.folder, comparison);
      } catch (cause) {
        const isHidden = error !== undefined || session.interrupted;
        if (isHidden) progress.say(`warning: ${asError(cause).message}`);
        // What was measured can still be printed.
        error ??= asError(cause);
      }
    }
    return conclude({ ...outcome, comparison, comparisonFiles, error }, session);
  });
}
