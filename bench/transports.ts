import type { Result, ScenarioResult } from '../src/aggregate/result.ts';
import { controlPairs, withoutControls } from '../src/aggregate/stats/control.ts';
import { type Measure, measureOf, p50, throughput } from '../src/aggregate/stats/measures.ts';
import { metrics } from '../src/aggregate/stats/metrics.ts';
import { pairByRound } from '../src/aggregate/stats/rounds.ts';
import { planRun } from '../src/main/experiment/plan.ts';
import { checkConfig } from '../src/main/experiment/read-config.ts';
import { whyNoRing } from '../src/pool/client/ring-socket.ts';
import { transports } from '../src/pool/presets.ts';
import { type Arm, findFloor, findRedisBenchmark } from './arms.ts';
import { measurePlan } from './measure-plan.ts';
import type { Bench, Question } from './question.ts';
import { range } from './report.ts';

const connections = 50;
const depths = [1, 100] as const;
/** Of a C tool in one turn. */
const toolSeconds = 0.6;
/** About how many operations a second a C tool makes here, by depth. */
const toolRates = { 1: 100_000, 100: 1_000_000 } as const;

const cpu = measureOf(metrics.clientMicrosPerOp);
const serverCpu: Measure = {
  name: 'CPU time of the server per operation',
  better: 'less',
  figure: ({ cpu: { serverCores }, opsPerSecond }) => (serverCores ?? 0) / opsPerSecond,
};

type Measured = Pick<ScenarioResult, 'plannedRounds' | 'rounds'>;

/**
 * The transports of wire beside `direct`, and a unix socket beside TCP: a run of poolbench itself, in which all take turns in
 * every round. Then the unix socket beside TCP for the C tools.
 */
export const ask: Question = async bench => {
  const { report, server, rounds } = bench;
  const noRing = whyNoRing();
  report.title(`Transports of wire, and a unix socket, ${connections} connections`);
  if (noRing !== undefined) report.say(`io_uring is left out: ${noRing}.\n`);
  const [tcp, unix] = await measurePlan(
    planOf(
      bench,
      transports.filter(name => name !== 'io_uring' || noRing === undefined),
    ),
    { force: true },
  );
  if (tcp === undefined || unix === undefined) throw new Error('expected two sides');

  report.say(`Ratios within ${3 * rounds} rounds, median [interval].\n`);
  report.table(
    ['to `direct`, on TCP', 'client CPU per operation', "the server's CPU", 'throughput', 'p50'],
    [...depths.flatMap(depth => besideDirect(tcp, depth)), ...controls(tcp)],
  );
  report.table(
    ['unix socket to TCP', 'client CPU per operation', "the server's CPU", 'throughput', 'p50'],
    withoutControls(tcp).flatMap(scenario => {
      const other = unix.scenarios.find(({ id }) => id === scenario.id);
      const { pipeline, transport } = scenario;
      return other === undefined ? [] : [rowOf(`depth ${pipeline}, ${transport}`, scenario, other)];
    }),
  );

  const { socket } = server;
  const tools = [
    [await findRedisBenchmark(server), await findRedisBenchmark(server, { socket })],
    [await findFloor(server), await findFloor(server, { socket })],
  ] as const;
  report.say(`The same for C tools, ${rounds} rounds, median [lowest, highest].\n`);
  const rows: string[][] = [];
  for (const [onTcp, onUnix] of tools) {
    if (typeof onTcp === 'string' || typeof onUnix === 'string') report.say(`${onTcp}\n`);
    else for (const depth of depths) rows.push(await besideTcp(onTcp, onUnix, depth, rounds));
  }
  report.table(['unix socket to TCP', 'client CPU per operation', 'throughput'], rows);
};

/** One server, by two ways, each with a database of its own: a run does not load the keys of another. */
function planOf({ server, rounds }: Bench, compared: readonly string[]) {
  const urls = { tcp: `redis://127.0.0.1:${server.port}/7`, unix: `unix://${server.socket}?db=8` };
  const experiments = Object.entries(urls).map(([name, url]) =>
    checkConfig(
      {
        name,
        target: { server: 'redis', url },
        scenarios: [{ client: 'wire', workers: connections, pipeline: depths, transport: compared }],
        compare: ['transport'],
        ...{ rounds: 3 * rounds, seconds: 0.2, warmupSeconds: 0.05 },
      },
      'the config of the bench',
    ),
  );
  return planRun(experiments);
}

function besideDirect(result: Result, depth: number): string[][] {
  const scenarios = withoutControls(result).filter(({ pipeline }) => pipeline === depth);
  const direct = scenarios.find(({ transport }) => transport === 'direct');
  if (direct === undefined) throw new Error('expected a scenario with the transport direct');
  return scenarios
    .filter(scenario => scenario !== direct)
    .map(scenario => rowOf(`depth ${depth}, ${scenario.transport}`, direct, scenario));
}

/** What equal arms differ by. */
function controls({ scenarios }: Result): string[][] {
  return controlPairs(scenarios).map(({ control, twin }) =>
    rowOf(`depth ${twin.pipeline}, ${twin.transport} to itself (control)`, twin, control),
  );
}

function rowOf(what: string, base: Measured, other: Measured): string[] {
  return [what, ...[cpu, serverCpu, throughput, p50].map(measure => ratioOf(base, other, measure))];
}

function ratioOf(base: Measured, other: Measured, measure: Measure): string {
  const { ratio } = pairByRound(base, other, measure);
  if (ratio === null) return '–';
  const { median, low, high } = ratio;
  return `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;
}

async function besideTcp(
  onTcp: Arm,
  onUnix: Arm,
  depth: (typeof depths)[number],
  rounds: number,
): Promise<string[]> {
  const load = {
    ...{ connections, pipeline: depth, seconds: toolSeconds },
    operations: toolRates[depth] * toolSeconds,
  };
  const found: { cpu: number; throughput: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    const unixFirst = round % 2 === 1 ? await onUnix.measure(load) : undefined;
    const tcp = await onTcp.measure(load);
    const unix = unixFirst ?? (await onUnix.measure(load));
    found.push({
      cpu: unix.cpuMicrosPerOp / tcp.cpuMicrosPerOp,
      throughput: unix.opsPerSecond / tcp.opsPerSecond,
    });
  }
  return [
    `${onTcp.name}, depth ${depth}`,
    range(
      found.map(ratio => ratio.cpu),
      2,
    ),
    range(
      found.map(ratio => ratio.throughput),
      2,
    ),
  ];
}
