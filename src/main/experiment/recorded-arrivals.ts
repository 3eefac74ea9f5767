import { resolve } from 'node:path';
import { z } from 'zod';
import { maxRate, speed } from '../../aggregate/scenario/arrival.ts';
import { limits } from '../../aggregate/scenario/limits.ts';
import type { ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { forgetReplays, lengthOf, readReplay } from '../../workers/workload/replay.ts';
import type { Replay } from '../../workers/workload/replay-file.ts';
import { judgeEach, type Refuse } from './rules.ts';
import type { WorkloadConfig } from './workload.ts';

/** Recorded arrivals: the replay of the workload has their instants, and so determines their mean rate. */

/** Undefined if the file cannot be used, which the check of the workload reports. */
function replayOf(path: string): Replay | undefined {
  try {
    return readReplay(resolve(path));
  } catch {
    return undefined;
  }
}

/** Mean operations per second; undefined without two different instants. */
function rateOf(replay: Replay, speed: number): number | undefined {
  const length = lengthOf(replay);
  if (length === undefined) return undefined;
  return Number((((replay.starts.length - 1) * 1e6 * speed) / length).toPrecision(6));
}

/** The measured time in which each operation is due once, within the limits of a measured time. */
function secondsOf(replay: Replay, speed: number): number {
  const microseconds = Math.floor((lengthOf(replay) ?? 0) / speed);
  return Math.min(limits.seconds, Math.max(limits.minSeconds, microseconds / 1e6));
}

const replayInput = z.object({ replay: z.string() });
const arrivalInput = z.looseObject({ kind: z.literal('recorded'), speed, rate: z.null().optional() });
const sectionInput = z.looseObject({});

/**
 * The input of a config, in which each recorded arrival has its mean rate. If the config has no measured time, it is the
 * length of the first of these recordings.
 */
export function withRecordedRates(input: unknown): unknown {
  forgetReplays();
  const { data: config } = sectionInput.safeParse(input);
  if (config === undefined) return input;
  let { seconds } = config;
  const fill = (input: unknown) => {
    const { data: load } = sectionInput.safeParse(input);
    if (load === undefined) return input;
    const { data: workload } = replayInput.safeParse(load.workload ?? config.workload);
    const fillOne = (arrival: unknown) => {
      const { data: recorded } = arrivalInput.safeParse(arrival);
      const replay = workload === undefined ? undefined : replayOf(workload.replay);
      if (recorded === undefined || replay === undefined) return arrival;
      const rate = rateOf(replay, recorded.speed);
      if (rate === undefined) return arrival;
      if (seconds === undefined) seconds = secondsOf(replay, recorded.speed);
      return { ...recorded, rate };
    };
    const { arrival } = load;
    if (arrival === undefined) return load;
    return { ...load, arrival: Array.isArray(arrival) ? arrival.map(fillOne) : fillOne(arrival) };
  };
  const filled = Object.fromEntries(
    ['scenarios', 'populations'].flatMap(key => {
      const loads = config[key];
      return Array.isArray(loads) ? [[key, loads.map(fill)]] : [];
    }),
  );
  return { ...config, ...filled, ...(seconds === undefined ? {} : { seconds }) };
}

/** Refuses recorded arrivals without a replay that has their instants. */
export function checkRecorded(
  { workload, scenarios }: { workload: WorkloadConfig; scenarios: readonly ScenarioGroup[] },
  refuse: Refuse,
): void {
  judgeEach(scenarios, ({ arrival }, group) =>
    judgeEach(arrival, (one, index) => {
      if (one.kind !== 'recorded') return;
      const refuseKey = (key: 'kind' | 'rate' | 'speed', expected: string) =>
        refuse(['scenarios', group, 'arrival', index, key], expected, one[key]);
      const replay = workload.replay === null ? undefined : replayOf(workload.replay);
      const rate = replay && rateOf(replay, one.speed);
      if (replay === undefined)
        refuseKey('kind', 'another kind, because workload.replay is null, so there are no recorded instants');
      else if (replay.instants === undefined)
        refuseKey(
          'kind',
          'another kind, because the file of workload.replay has no instants (record it again)',
        );
      else if (rate === undefined)
        refuseKey('kind', 'another kind, because workload.replay has only one instant');
      else if (rate > maxRate)
        refuseKey('speed', `a lower speed, because the mean rate is ${rate} a second, above ${maxRate}`);
      else if (one.rate !== rate)
        refuseKey('rate', `${rate} or nothing (the rate of the replay at this speed)`);
    }),
  );
}
