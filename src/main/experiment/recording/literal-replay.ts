import { limits } from '../../../aggregate/scenario/limits.ts';
import type { KeysOfType } from '../../../workers/contract.ts';
import { familiesOfKeys } from '../../../workers/workload/command-mix.ts';
import { type Family, typeName } from '../../../workers/workload/families.ts';
import { replayHead } from '../../../workers/workload/replay.ts';
import type { ExperimentConfig } from '../experiment.ts';
import type { FittedRecording } from './fit-recording.ts';
import type { OperationForm } from './recorded-operations.ts';

/** The load of a recording in its own order. */
interface LiteralReplay {
  readonly config: ExperimentConfig;
  /** The text of the file that the config names. */
  readonly text: string;
  /** Operations in it. */
  readonly operations: number;
  /** Operations that are left out, as no measured time is so long. */
  readonly tooLate: number;
}

const maxStages = 10;
const minStageSeconds = 0.1;

/**
 * Makes a config and a file with the commands and their keys in the recorded order, at the recorded rate of each tenth of the
 * time. Keys are numbered in the order in which they first occur, so they do not reveal the keys of the recording.
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
  const lines: string[] = [];
  const instants: number[] = [];
  const begin = recording.operations.reduce((min, { at }) => Math.min(min, at), Number.POSITIVE_INFINITY);
  const end = begin + limits.seconds * speed;
  let tooLate = 0;
  for (const { form, families, keys, bytes, at } of recording.operations) {
    const index = indices.get(form)?.get(families[0]);
    // A rare form that counts as another one cannot be replayed: the other one has a different number of keys.
    if (index === undefined) continue;
    if (at > end) {
      tooLate++;
      continue;
    }
    const named = keys.map((key, place) => numberOf(familiesOf[index]?.[place] ?? 'strings', key));
    lines.push([index, bytes === undefined ? 0 : placeOfSize(bytes), ...named].join(' '));
    instants.push(at / speed);
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
  const stages = stagesOf(instants);
  return {
    config: {
      ...config,
      workload: {
        ...workload,
        keys,
        ...(Object.keys(types).length === 0 ? {} : { types }),
        replay: file,
      },
      scenarios: scenarios.map(group => ({
        ...group,
        ...(stages.length === 0 ? {} : { arrival: { kind: 'constant' as const, stages } }),
      })),
      // Its operations would be the first ones.
      warmupSeconds: 0,
    },
    text: `${[replayHead, ...lines].join('\n')}\n`,
    operations: lines.length,
    tooLate,
  };
}

/** The rates of parts of equal length. None if the recording has no duration. */
function stagesOf(instants: readonly number[]): { seconds: number; rate: number }[] {
  const first = instants.reduce((min, at) => Math.min(min, at), Number.POSITIVE_INFINITY);
  const last = instants.reduce((max, at) => Math.max(max, at), Number.NEGATIVE_INFINITY);
  const count = Math.min(maxStages, Math.floor((last - first) / minStageSeconds));
  if (!(count > 0)) return [];
  const seconds = Number(((last - first) / count).toFixed(3));
  const counts = new Array<number>(count).fill(0);
  for (const at of instants) {
    const place = Math.min(count - 1, Math.floor((at - first) / seconds));
    counts[place] = (counts[place] ?? 0) + 1;
  }
  return counts.map(operations => ({ seconds, rate: Number((operations / seconds).toPrecision(3)) }));
}
