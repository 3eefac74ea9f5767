import type { CommandResult, ScenarioResult } from './result.ts';
import { median } from './statistics.ts';

/** One command of one scenario: counts over all rounds, latencies as medians over those in which it completed. */
export interface CommandFigures {
  /** Of all completed operations, 0 to 1. */
  readonly share: number;
  readonly completed: number;
  readonly failed: number;
  readonly misses: number;
  readonly name: string;
  /** Null if it never completed. */
  readonly serviceP50: number | null;
  readonly serviceP99: number | null;
  readonly responseP50: number | null;
  readonly responseP99: number | null;
}

/** The commands of a scenario in the order of its mix; none where they were not counted apart. */
export function commandFigures({ rounds }: Pick<ScenarioResult, 'rounds'>): CommandFigures[] {
  const byName = new Map<string, CommandResult[]>();
  for (const command of rounds.flatMap(round => round.commands))
    byName.set(command.name, [...(byName.get(command.name) ?? []), command]);
  const all = rounds.reduce((sum, round) => sum + round.completed, 0);
  return [...byName].map(([name, commands]) => {
    const answered = commands.filter(({ completed }) => completed > 0);
    const medianOf = (figure: (command: CommandResult) => number) =>
      answered.length === 0 ? null : median(answered.map(figure));
    const sum = (count: (command: CommandResult) => number) =>
      commands.reduce((total, command) => total + count(command), 0);
    const completed = sum(command => command.completed);
    return {
      name,
      completed,
      share: all === 0 ? 0 : completed / all,
      failed: sum(({ failed }) => Object.values(failed).reduce((total, count) => total + count, 0)),
      misses: sum(({ misses }) => misses),
      serviceP50: medianOf(({ service }) => service.p50),
      serviceP99: medianOf(({ service }) => service.p99),
      responseP50: medianOf(({ response }) => response.p50),
      responseP99: medianOf(({ response }) => response.p99),
    };
  });
}
