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
import type { RoundsRange } from '../src/aggregate/stats/sign-test.ts';
import { removeControls } from '../src/main/experiment/blocks.ts';
import { armsOf, type Plan, planRun, planSides } from '../src/main/experiment/plan.ts';
import { checkConfig } from '../src/main/experiment/read-config.ts';
import { measurePlan } from './measure-plan.ts';
import type { Bench } from './question.ts';
import { range } from './report.ts';

/** How often each pair of sides is measured. Equal ones mostly need all rounds, and the one that is slower few. */
const runs = { equal: 8, slower: 40 } as const;
/** The default of a config. */
const rounds: RoundsRange = { atLeast: 10, atMost: 50 };
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
 * Measures what `npm run bench -- gate` simulates, on a real server: `versus` of equal sides, and of one that is 10 % slower,
 * each until the gate is decided. The first sides of the latter runs then serve as a stored baseline, as in `compare`.
 */
export async function measureGates({ server, report }: Bench, gate: Gate): Promise<void> {
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
    const measured = ratioOf(await measureOnce(server.port, 'slower'));
    const growth = Math.min(slower - 1, Math.max(minGrowth, measured - 1));
    await setSteps(steps * (1 + (slower - 1) ** 2 / growth));

    const started = performance.now();
    const runsOf: Record<'equal' | 'slower', Sides[]> = { equal: [], slower: [] };
    for (let run = 0; run < runs.slower; run++)
      for (const side of ['equal', 'slower'] as const)
        if (runsOf[side].length < ((run + 1) * runs[side]) / runs.slower)
          runsOf[side].push(await measureOnce(server.port, side, gate));
    const seconds = (performance.now() - started) / 1000;

    report.title('Live: how often a gate fails a build');
    report.say(
      `${runs.equal + runs.slower} runs in ${seconds.toFixed(0)} s, of ${rounds.atLeast} to ${rounds.atMost} rounds each.\n`,
    );
    const count = (all: readonly GateResult['outcome'][], outcome: GateResult['outcome']) =>
      `${all.filter(one => one === outcome).length} of ${all.length}`;
    report.table(
      ['sides of versus', 'p50 to the first side', gate.condition, 'within', 'cannot tell', 'rounds'],
      Object.entries(runsOf).map(([side, all]) => {
        const outcomes = all.map(sides => outcomeOf(sides, gate));
        return [
          side,
          `×${range(all.map(ratioOf), 3)}`,
          ...(['beyond', 'within', 'cannot tell'] as const).map(outcome => count(outcomes, outcome)),
          range(
            all.map(([{ scenarios }]) => scenarios[0]?.rounds.length ?? 0),
            0,
          ),
        ];
      }),
    );
    const baseline = runsOf.slower.map(([base]) => base);
    const judgeAfter = (side: 'equal' | 'slower') =>
      runsOf[side]
        .slice(minRuns)
        .map(([base, other], run) =>
          outcomeOf([...baseline.slice(run, run + minRuns), side === 'equal' ? base : other], gate),
        );
    const [equal, found] = [judgeAfter('equal'), judgeAfter('slower')];
    report.table(
      ['last run of compare', gate.condition, 'within', 'cannot tell'],
      Object.entries({ equal, slower: found }).map(([side, outcomes]) => [
        side,
        ...(['beyond', 'within', 'cannot tell'] as const).map(outcome => count(outcomes, outcome)),
      ]),
    );
  } finally {
    control.disconnect();
  }
}

function outcomeOf(results: readonly Result[], gate: Gate): GateResult['outcome'] {
  const [judged] = compareResults(results, [gate]).gates;
  if (judged === undefined) throw new Error('expected a gate to be judged');
  return judged.outcome;
}

type Sides = readonly [base: Result, other: Result];

/** @param gate undefined: nothing is judged, and all rounds are measured */
async function measureOnce(port: number, side: 'equal' | 'slower', gate?: Gate): Promise<Sides> {
  const plan = planOf(port, side);
  const [base, other] = await measurePlan(gate === undefined ? plan : { ...plan, gates: [gate] }, {
    force: true,
  });
  if (base === undefined || other === undefined) throw new Error('expected two sides');
  return [base, other];
}

/** Without the controls that a run of such a plan has: they would take as long again, and the equal sides are one. */
function planOf(port: number, side: 'equal' | 'slower'): Plan {
  const experiments = [
    { name: 'base', database: 0 },
    { name: side, database: side === 'slower' ? 1 : 0 },
  ].map(({ name, database }) =>
    checkConfig(
      {
        name,
        target: { server: 'redis', url: `redis://127.0.0.1:${port}/${database}` },
        workload: { keys: 10, commands: [{ command: `EVALSHA "${script}" 1 {key}` }] },
        scenarios: [{ client: 'wire', workers: 10 }],
        rounds,
        seconds: 0.5,
        warmupSeconds: 0.1,
      },
      'the config of the bench',
    ),
  );
  const { sides, blocks } = planRun(experiments);
  return planSides(
    sides.map(planned => ({ ...planned, scenarios: armsOf(planned) })),
    removeControls(blocks),
  );
}

/** Of p50, of the median round. */
function ratioOf([base, other]: Sides): number {
  const [before] = withoutControls(base);
  const [after] = withoutControls(other);
  const ratio = before && after && pairByRound(before, after, measureOf(metrics['response.p50'])).ratio;
  if (!ratio) throw new Error('expected rounds in pairs');
  return ratio.median;
}
