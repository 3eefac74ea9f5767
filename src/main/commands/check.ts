import { standInBanner } from '../../aggregate/headline.ts';
import { applyOverrides } from '../config/overrides.ts';
import { readConfig } from '../config/read-config.ts';
import type { RunFlags } from '../parse-command-line.ts';
import { describePlan } from '../plan/describe-plan.ts';
import { planRun } from '../plan/rounds.ts';
import { connectionsNeeded } from '../plan/scenarios.ts';
import { exitOnInterrupt } from '../run/interrupt.ts';
import { preflight } from '../target/preflight.ts';
import { controlTimeoutMs, resolveTarget } from '../target/resolve.ts';
import { describeFoundTarget } from './describe-found-target.ts';

/**
 * `poolbench check CONFIG`: everything a run does before its load.
 *
 * @returns the exit code
 * @throws PoolbenchError for what a run would stumble over
 */
export async function check(path: string, flags: RunFlags): Promise<number> {
  const experiment = applyOverrides(await readConfig(path), flags);
  const plan = planRun(experiment);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  // Nothing is measured, so there is nothing to keep; what is being fetched or started ends as the process exits.
  exitOnInterrupt();
  const target = await resolveTarget({
    ...experiment.target,
    timeoutMs: controlTimeoutMs(experiment),
    standInAllowed: flags['no-stand-in'] !== true,
    say,
  });
  try {
    const banner = standInBanner({ target });
    if (banner !== null) say(banner);
    say(describeFoundTarget(target));
    const { keys, valueBytes } = experiment.workload;
    const warnings = await preflight(target, {
      connections: connectionsNeeded(plan.scenarios),
      keys,
      valueBytes,
    });
    for (const warning of warnings) say(`warning: ${warning}`);
    say(describePlan(experiment, plan));
    return 0;
  } finally {
    await target.stop();
  }
}
