import type { Batch } from '../pool/batch.ts';
import type { CommandSample } from './contract.ts';
import { LatencyCounts } from './latency-counts.ts';
import type { MixTemplate } from './workload/command-mix.ts';

/** What became of the operations of one command. */
interface Command {
  readonly name: string;
  readonly tellsMisses: boolean;
  completed: number;
  misses: number;
  readonly failed: Record<string, number>;
  readonly service: LatencyCounts;
  readonly response: LatencyCounts;
}

/** Counts and times each command of a mix apart. */
export class CommandRecorder {
  readonly #commands: readonly Command[];
  /** For each template the index of its command: all values, and all commands of one name, count together. */
  readonly #commandOf: Uint16Array;
  /** Completed operations of each command in the batch that is being recorded. */
  readonly #completed: Uint32Array;

  constructor(templates: readonly MixTemplate[]) {
    const names = [...new Set(templates.map(({ name }) => name))];
    this.#commandOf = Uint16Array.from(templates, ({ name }) => names.indexOf(name));
    this.#completed = new Uint32Array(names.length);
    this.#commands = names.map(name => ({
      name,
      tellsMisses: templates.find(template => template.name === name)?.tellsMisses ?? false,
      completed: 0,
      misses: 0,
      failed: {},
      service: new LatencyCounts(3),
      response: new LatencyCounts(3),
    }));
  }

  /** Every command of a batch has the latency of the batch. */
  record(batch: Batch, serviceNs: number, responseNs: number): void {
    const counts = this.#completed;
    const failed = batch.failures !== undefined;
    for (let i = 0; i < batch.size; i++) {
      const index = this.#commandOf[batch.commandAt(i)] as number;
      if (failed && this.#countFailure(batch, i, index)) continue;
      counts[index] = (counts[index] as number) + 1;
      if (batch.hasMissed(i)) (this.#commands[index] as Command).misses++;
    }
    for (let index = 0; index < counts.length; index++) {
      const count = counts[index] as number;
      if (count === 0) continue;
      counts[index] = 0;
      const command = this.#commands[index] as Command;
      command.completed += count;
      command.service.add(serviceNs, count);
      command.response.add(responseNs, count);
    }
  }

  /** Hands out what was recorded; nothing can be recorded after it. */
  finish(): CommandSample[] {
    return this.#commands.map(({ service, response, ...counts }) => ({
      ...counts,
      service: service.encode(),
      response: response.encode(),
    }));
  }

  #countFailure(batch: Batch, i: number, index: number): boolean {
    const code = batch.failedAs(i);
    if (code === undefined) return false;
    const { failed } = this.#commands[index] as Command;
    failed[code] = (failed[code] ?? 0) + 1;
    return true;
  }
}
