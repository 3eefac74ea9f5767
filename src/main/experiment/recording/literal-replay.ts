import { limits } from '../../../aggregate/scenario/limits.ts';
import type { KeysOfType } from '../../../workers/contract.ts';
import { familiesOfKeys } from '../../../workers/workload/command-mix.ts';
import { type Family, typeName } from '../../../workers/workload/families.ts';
import { formatReplay, type ReplayedOperation } from '../../../workers/workload/replay-file.ts';
import type { ExperimentConfig } from '../experiment.ts';
import type { FittedRecording } from './fit-recording.ts';
import type { OperationForm } from './recorded-operations.ts';

/** The load of a recording in its own order and at its own instants. */
interface LiteralReplay {
  readonly config: ExperimentConfig;
  /** The text of the file that the config names. */
  readonly text: string;
  /** Operations in it. */
  readonly operations: number;
  /** Operations that are left out, as no measured time is so long. */
  readonly tooLate: number;
}

/**
 * Makes a config and a file with the commands, their keys and the instants at which they were recorded. Keys are numbered in
 * the order in which they first occur, so they do not reveal the keys of the recording.
 *
 * @param file the name of the file, as seen from the config's folder
 * @param speed how many times as fast the load is
 */
export function literalReplay(fitted: FittedRecording, file: string, speed = 1): LiteralReplay {
  const { recording, families, commands, placeOfSize } = fitted;
  const { keyChoice: _, types: fittedTypes = {}, ...workload } = fitted.config.workload;
  const familiesOf = familiesOfKeys(workload.commands ?? []);
  const indices = new Map<OperationForm, Map<Family | undefined, number>>();
  for (const [index, { form, family }] of commands.entries()) {
    const ofForm = indices.get(form) ?? new Map<Family | undefined, number>();
    // The family of a command without keys does not matter.
    ofForm.set(form.families.length === 0 ? undefined : family, index);
    indices.set(form, ofForm);
  }
  const numbers = new Map<Family, Map<number, number>>();
  const numberOf = (family: Family, key: number) => {
    const ofFamily = numbers.get(family) ?? new Map<number, number>();
    numbers.set(family, ofFamily);
    const number = ofFamily.get(key) ?? ofFamily.size;
    ofFamily.set(key, number);
    return number;
  };
  const written: ReplayedOperation[] = [];
  const replayed = recording.operations
    .flatMap(({ form, families, ...operation }) => {
      const index = indices.get(form)?.get(families[0]);
      // A rare form that counts as another one cannot be replayed: the other one has a different number of keys.
      return index === undefined ? [] : [{ ...operation, index }];
    })
    // A transaction that did not end is read last.
    .toSorted((a, b) => a.at - b.at);
  const begin = replayed[0]?.at ?? 0;
  let [last, tooLate] = [0, 0];
  for (const { index, keys, bytes, at } of replayed) {
    const instant = Math.round((at - begin) * 1e6);
    if (instant > limits.seconds * speed * 1e6) {
      tooLate++;
      continue;
    }
    last = instant;
    written.push({
      instant,
      command: index,
      size: bytes === undefined ? 0 : placeOfSize(bytes),
      keys: keys.map((key, place) => numberOf(familiesOf[index]?.[place] ?? 'strings', key)),
    });
  }
  const main = families[0]?.family;
  const keys = (main === undefined ? undefined : numbers.get(main)?.size) ?? 1;
  const types: Record<string, KeysOfType> = {};
  for (const [family, { size }] of numbers) {
    const members = fittedTypes[typeName(family)]?.members;
    const type: KeysOfType = {
      ...(size === keys ? {} : { keys: size }),
      ...(members === undefined ? {} : { members }),
    };
    if (family !== main && Object.keys(type).length > 0) types[typeName(family)] = type;
  }
  const { seconds: __, scenarios, ...config } = fitted.config;
  // Without two different instants there is no timing to keep, and a warm-up would send the first operations.
  const isTimed = last > 0;
  const arrival = { kind: 'recorded' as const, ...(speed === 1 ? {} : { speed }) };
  return {
    config: {
      ...config,
      workload: {
        ...workload,
        keys,
        ...(Object.keys(types).length === 0 ? {} : { types }),
        replay: file,
      },
      scenarios: isTimed ? scenarios.map(group => ({ ...group, arrival })) : scenarios,
      ...(isTimed ? {} : { warmupSeconds: 0 }),
    },
    text: formatReplay(
      (workload.commands ?? []).map(({ command }) => command),
      written,
    ),
    operations: written.length,
    tooLate,
  };
}
