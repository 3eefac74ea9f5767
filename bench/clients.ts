import { median } from '../src/aggregate/stats/statistics.ts';
import { type Arm, findArms } from './arms.ts';
import type { ArmFigures } from './load-arm.ts';
import type { Question } from './question.ts';
import { thousands } from './report.ts';

const depths = [1, 10, 100];
const connectionCounts = [1, 50, 500];
/** memtier_benchmark tells no rate of less than a second. */
const seconds = 1.2;

interface Cell {
  readonly pipeline: number;
  readonly connections: number;
  readonly figures: Map<Arm, Measured[]>;
  /** Of wire, which is measured first; what the C tools are told to do takes about as long. */
  opsPerSecond: number;
}

interface Measured extends ArmFigures {
  /** CPU of the server's main thread for each operation of this arm. */
  readonly serverMicrosPerOp: number;
}

/** Clients side by side, at three depths and three numbers of connections; and the server's own limit beside them. */
export const ask: Question = async ({ server, report, rounds }) => {
  const { arms, missing } = await findArms(server);
  const cells = depths.flatMap(pipeline =>
    connectionCounts.map(
      (connections): Cell => ({ pipeline, connections, figures: new Map(), opsPerSecond: 0 }),
    ),
  );
  for (let round = 0; round < rounds; round++) {
    for (const cell of cells) {
      // wire stays first in round 1; later each round begins with another arm.
      for (let turn = 0; turn < arms.length; turn++) {
        const arm = arms[(turn + round) % arms.length] as Arm;
        cell.figures.set(arm, [...(cell.figures.get(arm) ?? []), await measure(arm, cell)]);
      }
    }
  }

  async function measure(arm: Arm, cell: Cell): Promise<Measured> {
    const { pipeline, connections, opsPerSecond } = cell;
    const before = await server.work();
    const operations = Math.max(1000, Math.round(opsPerSecond * seconds));
    const figures = await arm.measure({ pipeline, connections, seconds, operations });
    const after = await server.work();
    if (cell.opsPerSecond === 0) cell.opsPerSecond = figures.opsPerSecond;
    const serverMicrosPerOp = ((after.seconds - before.seconds) * 1e6) / (after.commands - before.commands);
    return { ...figures, serverMicrosPerOp };
  }

  report.title('Clients side by side, SET/GET 1:1, 32 B, one client thread, in turn on one server');
  for (const line of missing) report.say(`${line}\n`);
  for (const { pipeline, connections, figures } of cells) {
    const rows = [...figures].map(([{ name }, measured]) => {
      const middle = (figure: (one: Measured) => number) => median(measured.map(figure));
      const opsPerSecond = middle(one => one.opsPerSecond);
      return {
        ...{ name, opsPerSecond, serverBusy: (opsPerSecond * middle(one => one.serverMicrosPerOp)) / 1e6 },
        cpu: middle(one => one.cpuMicrosPerOp),
        user: middle(one => one.userMicrosPerOp),
        p50: middle(one => one.p50Ms ?? Number.NaN),
        p99: middle(one => one.p99Ms ?? Number.NaN),
      };
    });
    report.say(`Depth ${pipeline}, ${connections} connection${connections === 1 ? '' : 's'}:\n`);
    report.table(
      ['client', 'ops/s', 'client CPU µs/op', 'outside the kernel', 'p50 ms', 'p99 ms', 'server busy'],
      rows.map(({ name, opsPerSecond, serverBusy, cpu, user, p50, p99 }) => [
        ...[name, thousands(opsPerSecond), digits(cpu), digits(user), digits(p50), digits(p99)],
        `${Math.round(serverBusy * 100)} %`,
      ]),
    );
    // The busier it is, the less it has to be extrapolated.
    const [busiest] = rows.toSorted((a, b) => b.serverBusy - a.serverBusy);
    if (busiest === undefined) continue;
    const limit = thousands(busiest.opsPerSecond / busiest.serverBusy);
    report.say(
      `The server's own limit, its main thread at 100 %: ${limit} ops/s, by what ${busiest.name} took of it.\n`,
    );
  }
};

function digits(value: number): string {
  return Number.isFinite(value) ? value.toPrecision(3) : '–';
}
