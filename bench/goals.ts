import { median } from '../src/aggregate/stats/statistics.ts';
import { type Arm, findArms } from './arms.ts';
import type { ArmFigures } from './load-arm.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';

const seconds = 1;
/** Each setting, and about how many operations a second a C tool makes in it here. */
const settings = [
  { connections: 50, pipeline: 1, opsPerSecond: 100_000 },
  { connections: 50, pipeline: 100, opsPerSecond: 1_000_000 },
  { connections: 1000, pipeline: 1, opsPerSecond: 80_000 },
] as const;

type Setting = (typeof settings)[number];

/** Of client CPU per operation. Wire with its fastest transport has to meet them. */
const limits = { single: 0.7, deep: 0.58, many: 1.2 } as const;

/**
 * The goals for client CPU per operation: wire with its transports beside the C tools and the floor, all settings in turn in
 * every round.
 */
export const ask: Question = async ({ server, report, rounds }) => {
  const found = await findArms(server);
  const wires = found.arms.filter(({ name }) => name.startsWith('poolbench, wire'));
  const tools = found.arms.filter(({ kind }) => kind === 'C tool');
  const arms = [...wires, ...tools, ...found.arms.filter(({ kind }) => kind === 'floor')];
  const turns = settings.flatMap(setting => arms.map(arm => ({ setting, arm, figures: [] as ArmFigures[] })));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < turns.length; turn++) {
      const { setting, arm, figures } = turns[(turn + round * 2) % turns.length] as (typeof turns)[number];
      figures.push(await arm.measure({ ...setting, seconds, operations: setting.opsPerSecond * seconds }));
    }
  }
  const figuresOf = (setting: Setting, arm: Arm) =>
    turns.find(turn => turn.setting === setting && turn.arm === arm)?.figures ?? [];
  const cpuOf = (setting: Setting, arm: Arm) =>
    figuresOf(setting, arm).map(({ cpuMicrosPerOp }) => cpuMicrosPerOp);

  report.title('Client CPU per operation, SET/GET 1:1, 32 B');
  for (const line of found.missing) report.say(line);
  for (const setting of settings) {
    report.say(`\n${setting.connections} connections, depth ${setting.pipeline}:\n`);
    report.table(
      [
        'arm',
        'client CPU µs/op',
        'outside the kernel',
        'ops/s',
        ...wires.map(({ name }) => `${nameOf(name)} to it`),
      ],
      arms.map(arm => {
        const figures = figuresOf(setting, arm);
        const user = figures.map(({ userMicrosPerOp }) => userMicrosPerOp);
        const rates = figures.map(({ opsPerSecond }) => opsPerSecond);
        const toIt = wires.map(wire =>
          wire === arm ? '' : range(ratios(cpuOf(setting, wire), cpuOf(setting, arm)), 2),
        );
        return [arm.name, range(cpuOf(setting, arm), 3), range(user, 3), range(rates, 0), ...toIt];
      }),
    );
  }

  const [single, deep, many] = settings;
  const best = (setting: Setting) =>
    tools.toSorted((a, b) => median(cpuOf(setting, a)) - median(cpuOf(setting, b)))[0];
  /** A row for each tool, with the limit at the best one. */
  const toTools = (setting: Setting, limit: number) =>
    tools.map(tool =>
      rowOf(
        `depth ${setting.pipeline}, 50 connections: to ${tool.name}${tool === best(setting) ? ', the best C tool' : ''}`,
        wires.map(wire => ratios(cpuOf(setting, wire), cpuOf(setting, tool))),
        tool === best(setting) ? limit : undefined,
      ),
    );
  const toItself = (arm: Arm) => ratios(cpuOf(many, arm), cpuOf(single, arm));
  const others = arms.filter(arm => !wires.includes(arm));
  report.table(
    ['client CPU', ...wires.map(({ name }) => nameOf(name)), 'limit', ''],
    [
      ...toTools(single, limits.single),
      ...toTools(deep, limits.deep),
      rowOf('1,000 connections, to its own figure at 50', wires.map(toItself), limits.many),
    ],
  );
  report.say(
    `1,000 connections to 50 of others: ${others.map(arm => `${arm.name} ${range(toItself(arm), 2)}`).join(', ')}.\n`,
  );
};

/** "wire", "wire, io_uring". */
function nameOf(arm: string): string {
  return arm.replace('poolbench, ', '');
}

/** Whether the limit is met by the arm with the lowest median. */
function rowOf(what: string, found: readonly number[][], limit: number | undefined): string[] {
  const cells = [what, ...found.map(values => range(values, 2))];
  if (limit === undefined) return cells;
  const isMet = Math.min(...found.map(median)) <= limit;
  return [...cells, `≤ ${limit.toFixed(2)}`, isMet ? 'met' : 'not met'];
}

/** Round by round. */
function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, round) => value / (to[round] ?? Number.NaN));
}
