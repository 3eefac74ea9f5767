import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
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

/** How often each pair of sides is measured. Equal ones mostly need many rounds, and the one that is slower few. */
const runs = { equal: 8, slower: 40 } as const;
/** The default of a config. */
const rounds: RoundsRange = { atLeast: 10, atMost: 50 };
/** By which the replies are delayed: long compared with the delays of a machine that does other work. */
const delayMs = 20;
const slower = 1.1;

type Side = 'base' | 'equal' | 'slower';

/**
 * Measures what `npm run bench -- gate` simulates, on a real server: `versus` of equal sides, and of one that is 10 % slower,
 * each until the gate is decided. The first sides of the latter runs then serve as a stored baseline, as in `compare`.
 */
export async function measureGates({ server, report }: Bench, gate: Gate): Promise<void> {
  const proxies = await Promise.all([delayMs, delayMs * slower].map(ms => startDelayProxy(server.port, ms)));
  try {
    const ports = proxies.map(({ port }) => port);
    const portOf = (side: Side) => ports[side === 'slower' ? 1 : 0] ?? 0;
    const started = performance.now();
    const runsOf: Record<'equal' | 'slower', Sides[]> = { equal: [], slower: [] };
    for (let run = 0; run < runs.slower; run++)
      for (const side of ['equal', 'slower'] as const)
        if (runsOf[side].length < ((run + 1) * runs[side]) / runs.slower)
          runsOf[side].push(await measureOnce(portOf, side, gate));
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
    for (const proxy of proxies) proxy.close();
  }
}

/** A way to the server on which replies take longer. @returns its port, and a function that closes it */
async function startDelayProxy(port: number, delayMs: number): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const proxy = createServer({ noDelay: true }, client => {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true });
    client.pipe(upstream);
    // Timers of the same length keep the order of the replies.
    upstream.on('data', bytes => setTimeout(() => client.write(bytes), delayMs));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    close() {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function outcomeOf(results: readonly Result[], gate: Gate): GateResult['outcome'] {
  const [judged] = compareResults(results, [gate]).gates;
  if (judged === undefined) throw new Error('expected a gate to be judged');
  return judged.outcome;
}

type PortOf = (side: Side) => number;
type Sides = readonly [base: Result, other: Result];

async function measureOnce(portOf: PortOf, side: Side, gate: Gate): Promise<Sides> {
  const [base, other] = await measurePlan({ ...planOf(portOf, side), gates: [gate] }, { force: true });
  if (base === undefined || other === undefined) throw new Error('expected two sides');
  return [base, other];
}

/** Without the controls that a run of such a plan has: they would take as long again, and the equal sides are one. */
function planOf(portOf: PortOf, side: Side): Plan {
  const experiments = (['base', side] as const).map(name =>
    checkConfig(
      {
        name,
        target: { server: 'redis', url: `redis://127.0.0.1:${portOf(name)}` },
        workload: { keys: 100 },
        scenarios: [{ client: 'wire', workers: 20 }],
        rounds,
        seconds: 0.2,
        warmupSeconds: 0.05,
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
