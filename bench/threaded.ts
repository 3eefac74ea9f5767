import { withoutControls } from '../src/aggregate/stats/control.ts';
import { planRun } from '../src/main/experiment/plan.ts';
import { checkConfig } from '../src/main/experiment/read-config.ts';
import { whyNoRing } from '../src/pool/client/ring-socket.ts';
import { findMemtier, findRedisBenchmark } from './arms.ts';
import { measurePlan } from './measure-plan.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';

const connections = 50;
const seconds = 1;
const threadCounts = [1, 2] as const;
/** About how many operations a second a C tool makes here. */
const toolRate = 100_000;

/** A tool, or a transport of wire, with its number of threads. */
interface Arm {
  readonly of: string;
  readonly threads: number;
}

interface Figures {
  readonly cpuMicrosPerOp: number;
  readonly opsPerSecond: number;
}

const labelOf = ({ of, threads }: Arm) => `${of}, ${threads}`;

/** wire with one and two threads, beside C tools with as many. Client and server share the cores of this machine. */
export const ask: Question = async ({ server, report, rounds }) => {
  report.title(`One and two threads, ${connections} connections in all, depth 1`);
  const tools: { readonly arm: Arm; readonly measure: () => Promise<Figures> }[] = [];
  const missing = new Set<string>();
  for (const threads of threadCounts)
    for (const find of [findMemtier, findRedisBenchmark]) {
      const found = await find(server, { threads });
      const load = { connections, pipeline: 1, seconds, operations: toolRate * seconds };
      if (typeof found === 'string') missing.add(found);
      else tools.push({ arm: { of: found.name, threads }, measure: () => found.measure(load) });
    }
  const noRing = whyNoRing();
  if (noRing !== undefined) missing.add(`io_uring is left out: ${noRing}.`);
  for (const line of missing) report.say(`${line}\n`);
  const plan = planRun([
    checkConfig(
      {
        name: 'threaded',
        target: { server: 'redis', url: `redis://127.0.0.1:${server.port}/9` },
        scenarios: [
          {
            ...{ client: 'wire', workers: connections, pools: threadCounts },
            transport: noRing === undefined ? ['direct', 'io_uring'] : ['direct'],
          },
        ],
        ...{ rounds: 1, seconds, warmupSeconds: 0.3 },
      },
      'the config of the bench',
    ),
  ]);

  const measured = new Map<string, { readonly arm: Arm; readonly figures: Figures[] }>();
  const note = (arm: Arm, figures: Figures) => {
    const label = labelOf(arm);
    measured.set(label, { arm, figures: [...(measured.get(label)?.figures ?? []), figures] });
  };
  const measureWire = async () => {
    const [result] = await measurePlan(plan, { force: true });
    for (const { transport, threads, rounds } of result === undefined ? [] : withoutControls(result))
      for (const { opsPerSecond, cpu } of rounds)
        note(
          { of: `wire, ${transport}`, threads },
          { opsPerSecond, cpuMicrosPerOp: cpu.clientMicrosPerOp ?? Number.NaN },
        );
  };
  for (let round = 0; round < rounds; round++) {
    // Who comes first changes from round to round.
    if (round % 2 === 0) await measureWire();
    for (const { arm, measure } of tools) note(arm, await measure());
    if (round % 2 === 1) await measureWire();
  }

  const ratiosTo = (other: Arm, figures: readonly Figures[], figure: keyof Figures) => {
    const base = measured.get(labelOf(other))?.figures;
    return figures.map((one, round) => one[figure] / (base?.[round]?.[figure] ?? Number.NaN));
  };
  const toolNames = [...new Set(tools.map(({ arm }) => arm.of))];
  report.table(
    [
      ...['arm, threads', 'ops/s', 'client CPU µs/op'],
      ...toolNames.flatMap(name => [`CPU to ${name}`, `ops/s to ${name}`]),
    ],
    [...measured].map(([label, { arm, figures }]) => [
      label,
      range(
        figures.map(one => one.opsPerSecond),
        0,
      ),
      range(
        figures.map(one => one.cpuMicrosPerOp),
        2,
      ),
      ...toolNames.flatMap(tool =>
        (['cpuMicrosPerOp', 'opsPerSecond'] as const).map(figure =>
          tool === arm.of ? '' : range(ratiosTo({ ...arm, of: tool }, figures, figure), 2),
        ),
      ),
    ]),
  );
};
