import { median } from '../src/aggregate/stats/statistics.ts';
import { type Arm, findArms } from './arms.ts';
import type { ArmFigures } from './load-arm.ts';
import type { Question } from './question.ts';
import { range } from './report.ts';

const seconds = 2;
/** Each setting, and about how many operations a second a C tool makes in it here. */
const settings = [
  { connections: 50, pipeline: 1, opsPerSecond: 100_000 },
  { connections: 50, pipeline: 100, opsPerSecond: 1_000_000 },
  { connections: 1000, pipeline: 1, opsPerSecond: 80_000 },
] as const;

type Setting = (typeof settings)[number];

/** The goals for client CPU per operation: wire beside the C tools and the floor, all settings in turn in every round. */
export const ask: Question = async ({ server, report, rounds }) => {
  const found = await findArms(server);
  const arms = found.arms.filter(
    ({ name, kind }) => name.startsWith('poolbench, wire') || kind === 'C tool' || kind === 'floor',
  );
  const turns = settings.flatMap(setting => arms.map(arm => ({ setting, arm, figures: [] as ArmFigures[] })));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < turns.length; turn++) {
      const { setting, arm, figures } = turns[(turn + round * 2) % turns.length] as (typeof turns)[number];
      figures.push(await arm.measure({ ...setting, seconds, operations: setting.opsPerSecond * seconds }));
    }
  }
  const figuresOf = (setting: Setting, arm: Arm | undefined) =>
    turns.find(turn => turn.setting === setting && turn.arm === arm)?.figures ?? [];
  const [wire] = arms;
  const cpu = ({ cpuMicrosPerOp }: ArmFigures) => cpuMicrosPerOp;

  report.title('Client CPU per operation, SET/GET 1:1, 32 B');
  for (const line of found.missing) report.say(line);
  for (const setting of settings) {
    const { connections, pipeline } = setting;
    const own = figuresOf(setting, wire);
    report.say(`\n${connections} connections, depth ${pipeline}:\n`);
    report.table(
      ['arm', 'client CPU µs/op', 'outside the kernel', 'ops/s', 'wire to it'],
      arms.map(arm => {
        const figures = figuresOf(setting, arm);
        return [
          arm.name,
          range(figures.map(cpu), 3),
          range(
            figures.map(({ userMicrosPerOp }) => userMicrosPerOp),
            3,
          ),
          range(
            figures.map(({ opsPerSecond }) => opsPerSecond),
            0,
          ),
          arm === wire ? '' : range(ratios(own.map(cpu), figures.map(cpu)), 2),
        ];
      }),
    );
  }

  const [single, deep, many] = settings;
  const best = (setting: Setting) =>
    arms
      .filter(({ kind }) => kind === 'C tool')
      .map(arm => ({ name: arm.name, figures: figuresOf(setting, arm).map(cpu) }))
      .toSorted((a, b) => median(a.figures) - median(b.figures))[0];
  const toBest = (setting: Setting) => {
    const tool = best(setting);
    return tool === undefined
      ? ['no C tool here', '–']
      : [`to ${tool.name}`, range(ratios(figuresOf(setting, wire).map(cpu), tool.figures), 2)];
  };
  const fifty = figuresOf(single, wire).map(cpu);
  report.table(
    ['goal', 'measured as', 'found', 'limit'],
    [
      ['depth 1, 50 connections', ...toBest(single), '≤ 0.75'],
      [
        'depth 1, outside the kernel',
        'µs/op',
        range(
          figuresOf(single, wire).map(({ userMicrosPerOp }) => userMicrosPerOp),
          2,
        ),
        '≤ 1.2',
      ],
      ['depth 100, 50 connections', ...toBest(deep), '≤ 0.60'],
      [
        '1,000 connections',
        'to wire at 50',
        range(ratios(figuresOf(many, wire).map(cpu), fifty), 2),
        '≤ 1.3',
      ],
      ...arms
        .filter(({ kind }) => kind !== 'poolbench')
        .map(arm => [
          '',
          `${arm.name}: 1,000 to its own at 50`,
          range(ratios(figuresOf(many, arm).map(cpu), figuresOf(single, arm).map(cpu)), 2),
          '',
        ]),
    ],
  );
};

/** Round by round. */
function ratios(of: readonly number[], to: readonly number[]): number[] {
  return of.map((value, round) => value / (to[round] ?? Number.NaN));
}
