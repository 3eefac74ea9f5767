import { Redis } from 'ioredis';
import { compareResults } from '../src/aggregate/comparison/compare-results.ts';
import type { GateResult } from '../src/aggregate/comparison/schema.ts';
import type { Gate } from '../src/aggregate/gates/gate.ts';
import type { Result } from '../src/aggregate/result.ts';
import { withoutControls } from '../src/aggregate/stats/control.ts';
import { measureOf } from '../src/aggregate/stats/measures.ts';
import { metrics } from '../src/aggregate/stats/metrics.ts';
import { pairByRound } from '../src/aggregate/stats/rounds.ts';
import { minRuns } from '../src/aggregate/stats/run-spread.ts';
import { removeControls } from '../src/main/experiment/blocks.ts';
import { armsOf, type Plan, planRun, planSides } from '../src/main/experiment/plan.ts';
import { checkConfig } from '../src/main/experiment/read-config.ts';
import { measurePlan } from './measure-plan.ts';
import type { Bench } from './question.ts';
import { range } from './report.ts';

/** Runs of three sides each: stored, new and equal, new and slower. */
const runs = 40;
const slower = 1.1;
/** By what an operation grows at least if its loop grows by 10 %: less was measured beside other work. */
const minGrowth = 0.08;
/** Steps of the loop that is most of an operation: some 60 µs, so that the server is what limits the load. */
const steps = 6000;

/**
 * An operation of the server that takes as long as the key `steps` of its database says: what makes one side slower is nothing
 * but the server's work, by as much as is wanted.
 */
const script =
  "local sum = 0 for step = 1, tonumber(redis.call('GET', 'steps')) do sum = sum + step end return sum";

/**
 * Pairs of runs, and not of simulated ones: of the same server, which differ in nothing, and of one that is 10 % slower. Each
 * is judged by its rounds, as `versus` does, and by the runs before it, as `compare` does with a stored baseline.
 */
export async function measureGates({ server, report }: Bench, gates: readonly Gate[]): Promise<void> {
  const control = new Redis({ port: server.port, lazyConnect: true });
  await control.connect();
  try {
    const setSteps = async (ofSlower: number) => {
      await control
        .pipeline([
          ['select', '0'],
          ['set', 'steps', String(steps)],
          ['select', '1'],
          ['set', 'steps', String(Math.round(ofSlower))],
        ])
        .exec();
    };
    // The rest of an operation takes time, too: the loop must grow by more than the whole.
    await setSteps(steps * slower);
    const [stored, , changed] = await measureOnce(server.port);
    const growth = Math.min(slower - 1, Math.max(minGrowth, ratioOf(stored, changed) - 1));
    await setSteps(steps * (1 + (slower - 1) ** 2 / growth));

    const started = performance.now();
    const measured: (readonly [stored: Result, equal: Result, changed: Result])[] = [];
    for (let run = 0; run < runs; run++) measured.push(await measureOnce(server.port));
    const seconds = (performance.now() - started) / 1000;

    report.title('Live: how often a gate fails a build');
    report.say(
      `${runs} runs of 10 rounds, in ${seconds.toFixed(0)} s. p50 of the slower side ×${range(
        measured.map(([stored, , changed]) => ratioOf(stored, changed)),
        3,
      )}, of the equal one ×${range(
        measured.map(([stored, equal]) => ratioOf(stored, equal)),
        3,
      )}.\n`,
    );
    const before = (run: number) => measured.slice(run - minRuns, run).map(([stored]) => stored);
    const judged = [
      { name: 'versus: rounds in pairs', from: 0, baseOf: (run: number) => measured[run]?.slice(0, 1) ?? [] },
      { name: `compare: ${minRuns} runs before it`, from: minRuns, baseOf: before },
    ];
    report.table(
      ['judged by', 'gate', 'pairs', 'false alarms: equal', 'equal found within', '10 % slower found'],
      judged.flatMap(({ name, from, baseOf }) =>
        gates.map(gate => {
          const indexes = measured.map((_, run) => run).slice(from);
          const outcomes = (side: 1 | 2) =>
            indexes.map(run => outcomeOf([...baseOf(run), measured[run]?.[side]], gate));
          const [equal, found] = [outcomes(1), outcomes(2)];
          const count = (all: readonly GateResult['outcome'][], wanted: GateResult['outcome']) =>
            `${all.filter(one => one === wanted).length} of ${all.length}`;
          return [
            ...[name, gate.condition, String(indexes.length)],
            ...[count(equal, 'beyond'), count(equal, 'within'), count(found, 'beyond')],
          ];
        }),
      ),
    );
  } finally {
    control.disconnect();
  }
}

function outcomeOf(results: readonly (Result | undefined)[], gate: Gate): GateResult['outcome'] {
  const [judged] = compareResults(
    results.filter(result => result !== undefined),
    [gate],
  ).gates;
  if (judged === undefined) throw new Error('expected a gate to be judged');
  return judged.outcome;
}

async function measureOnce(port: number): Promise<readonly [Result, Result, Result]> {
  const [stored, equal, changed] = await measurePlan(planOf(port), { force: true });
  if (stored === undefined || equal === undefined || changed === undefined)
    throw new Error('expected three sides');
  return [stored, equal, changed];
}

/** Without the controls that a run of such a plan has: they would take as long again, and the equal side is one. */
function planOf(port: number): Plan {
  const experiments = [
    { name: 'stored', database: 0 },
    { name: 'equal', database: 0 },
    { name: 'slower', database: 1 },
  ].map(({ name, database }) =>
    checkConfig(
      {
        name,
        target: { server: 'redis', url: `redis://127.0.0.1:${port}/${database}` },
        workload: { keys: 10, commands: [{ command: `EVALSHA "${script}" 1 {key}` }] },
        scenarios: [{ client: 'wire', workers: 10 }],
        rounds: 10,
        seconds: 0.1,
        warmupSeconds: 0.05,
      },
      'the config of the bench',
    ),
  );
  const { sides, blocks } = planRun(experiments);
  return planSides(
    sides.map(side => ({ ...side, scenarios: armsOf(side) })),
    removeControls(blocks),
  );
}

/** Of p50, of the median round. */
function ratioOf(base: Result, other: Result): number {
  const [before] = withoutControls(base);
  const [after] = withoutControls(other);
  const ratio = before && after && pairByRound(before, after, measureOf(metrics['response.p50'])).ratio;
  if (!ratio) throw new Error('expected rounds in pairs');
  return ratio.median;
}
