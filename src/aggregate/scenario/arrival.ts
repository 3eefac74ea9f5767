import { z } from 'zod';
import { formatSeconds } from '../text/format.ts';
import { shortHash } from '../text/safe-name.ts';
import { limits } from './limits.ts';
import { listOf, numberBetween, oneOf, section, wholeNumber } from './schema-parts.ts';

/** When the work of a scenario is due: in a config, in a scenario, in its id and as text. */

export const minRate = 0.1;
export const maxRate = 10_000_000;
export const maxStages = 20;

const rate = listOf(numberBetween(minRate, maxRate)).nullable().prefault(null).meta({
  description:
    'Operations due per second, over all pools; a list makes one scenario per rate; null: stages has the rates',
  unit: 'operations per second',
});

export const stageSchema = section({
  seconds: numberBetween(0.01, limits.seconds, 'seconds').meta({
    description: 'How long the stage lasts',
    unit: 'seconds',
  }),
  rate: numberBetween(0, maxRate).meta({
    description: 'Operations due per second, over all pools, when the stage begins',
    unit: 'operations per second',
  }),
  rampTo: numberBetween(0, maxRate).nullable().default(null).meta({
    description: 'Rate when the stage ends, reached at a steady pace; null: rate',
    unit: 'operations per second',
  }),
});
const stages = z
  .array(stageSchema, { error: 'a list of stages such as [{ "seconds": 2, "rate": 1000, "rampTo": 5000 }]' })
  .min(1, { error: 'at least one stage' })
  .max(maxStages, { error: `at most ${maxStages} stages` })
  .nullable()
  .default(null)
  .meta({
    description:
      'Instead of rate: consecutive parts of the measured window, each with its own rate. They add up to the window; null: one rate',
  });

/** A part of a measured window with a constant or steadily changing rate. */
type Stage = Readonly<z.output<typeof stageSchema>>;

const order = oneOf(['shuffled', 'upAndDown']).default('shuffled').meta({
  description:
    'Order of the rates within a round: shuffled with the other scenarios, or ascending and then descending',
});

export const burstSize = wholeNumber(1, 1_000_000);

/** Limits of the speed of a replay, as a multiple of that of the recording. */
export const [minSpeed, maxSpeed] = [0.01, 100];
const expectedSpeed = `a number from ${minSpeed} to ${maxSpeed}`;
export const speed = z
  .number({
    // A list of rates is allowed.
    error: ({ input }) =>
      Array.isArray(input) ? `${expectedSpeed} (to compare speeds, list several arrivals)` : expectedSpeed,
  })
  .min(minSpeed, { error: expectedSpeed })
  .max(maxSpeed, { error: expectedSpeed })
  .default(1);

const kindOf = <const Kind extends string>(kind: Kind, description: string) =>
  z.literal(kind).meta({ description: `${kind}: ${description}` });

const closed = section({
  kind: kindOf('closed', 'a worker sends its next batch when the previous one is answered'),
});
const constant = section({
  kind: kindOf('constant', 'operations are due at equal intervals'),
  rate,
  stages,
  order,
});
const poisson = section({
  kind: kindOf('poisson', 'operations are due at random, independent of one another'),
  rate,
  stages,
  order,
});
const burst = section({
  kind: kindOf('burst', 'many operations are due at once'),
  rate,
  stages,
  size: burstSize.meta({
    description: 'Operations due at once, every size / rate seconds',
    unit: 'operations',
  }),
  order,
});

const recorded = section({
  kind: kindOf('recorded', 'operations are due at the instants recorded in workload.replay'),
  speed: speed.meta({
    description: 'Speed of the replay, as a multiple of that of the recording; 2: twice as fast',
  }),
  rate: z
    .number({ error: 'a number, or nothing' })
    .positive({ error: 'a number above 0, or nothing' })
    .nullable()
    .default(null)
    .meta({
      description: 'Set by poolbench: mean rate of the recording at this speed, over all pools',
      unit: 'operations per second',
    }),
});

export const arrivalSchema = z.discriminatedUnion('kind', [closed, constant, poisson, burst, recorded], {
  error: issue =>
    issue.code === 'invalid_union'
      ? '"closed" or "constant" or "poisson" or "burst" or "recorded"'
      : 'an object such as { "kind": "closed" } or { "kind": "constant", "rate": 2000 }',
});

/** As a config has it: with a list of rates, or with stages. */
type ArrivalGroup = z.output<typeof arrivalSchema>;

/** When the work of one scenario is due. Plain data. */
export type Arrival =
  | { readonly kind: 'closed' }
  | ({ readonly kind: 'constant' | 'poisson' } & Rated)
  | ({ readonly kind: 'burst'; readonly size: number } & Rated)
  | ({ readonly kind: 'recorded'; readonly speed: number } & Rated);

interface Rated {
  /** Operations a second, over all pools; the mean of the stages or of the recording. */
  readonly rate: number;
  /** The parts of the measured window, in order. Absent: the rate stays the same. */
  readonly stages?: readonly Stage[];
  /** On the way up or down, where the rates of a round are measured in turn. */
  readonly leg?: 'up' | 'down';
}

/** As a result has it. A later version may know more kinds. */
export const arrivalResult = z.looseObject({
  kind: z.string(),
  rate: z.number().optional(),
  size: z.number().optional(),
  /** Since 0.12. */
  speed: z.number().optional(),
  /** Since 0.9. */
  stages: z
    .array(z.object({ seconds: z.number(), rate: z.number(), rampTo: z.number().nullable() }))
    .readonly()
    .optional(),
  leg: z.enum(['up', 'down']).optional(),
});
type ArrivalResult = z.output<typeof arrivalResult>;

/** How long stages take together, without the error of the sum: 0.3 for 0.1 and 0.2. */
export function secondsOf(stages: readonly Pick<Stage, 'seconds'>[]): number {
  return Number(stages.reduce((sum, { seconds }) => sum + seconds, 0).toPrecision(12));
}

/** How many operations are due in stages: the integral of their rate. */
export function operationsOf(stages: readonly Stage[]): number {
  return stages.reduce(
    (sum, { seconds, rate, rampTo }) => sum + (seconds * (rate + (rampTo ?? rate))) / 2,
    0,
  );
}

/** Whether anything is due between two instants, in seconds from the start of the stages. */
export function isDueWithin(stages: readonly Stage[], from: number, until: number): boolean {
  return stages.some(({ rate, rampTo }, index) => {
    const [start, end] = [secondsOf(stages.slice(0, index)), secondsOf(stages.slice(0, index + 1))];
    return start < until && end > from && Math.max(rate, rampTo ?? rate) > 0;
  });
}

/** One arrival for each rate, and for each way if a list goes up and down; one for stages or a recording. */
export function expandArrivals(groups: readonly ArrivalGroup[]): Arrival[] {
  return groups.flatMap((group): Arrival[] => {
    if (group.kind === 'closed') return [{ kind: 'closed' }];
    if (group.kind === 'recorded') return [{ ...group, rate: group.rate ?? 0 }];
    const { kind, stages, order } = group;
    const rates = group.rate ?? [];
    const at = (rated: Rated): Arrival =>
      kind === 'burst' ? { kind, ...rated, size: group.size } : { kind, ...rated };
    if (stages !== null) return [at({ rate: operationsOf(stages) / secondsOf(stages), stages })];
    if (order === 'shuffled') return rates.map(rate => at({ rate }));
    const ascending = [...new Set(rates)].toSorted((a, b) => a - b);
    return [
      ...ascending.map(rate => at({ rate, leg: 'up' })),
      ...ascending.toReversed().map(rate => at({ rate, leg: 'down' })),
    ];
  });
}

/** More stages than this are summarised where they are described. */
const maxListedStages = 4;

/** The lowest and the highest rate of stages. */
function rateRange(stages: readonly Stage[]): readonly [min: number, max: number] {
  const rates = stages.flatMap(({ rate, rampTo }) => [rate, rampTo ?? rate]);
  return [Math.min(...rates), Math.max(...rates)];
}

/** "1000x2s+1000to5000x0.5s": every stage. */
export function labelStages(stages: readonly Stage[]): string {
  return stages
    .map(({ seconds, rate, rampTo }) => `${rate}${rampTo === null ? '' : `to${rampTo}`}x${seconds}s`)
    .join('+');
}

/** In an id, where stages that differ must not look alike: every stage, or of many "20stages_12to310_1a2b3c4d". */
function shortLabelOfStages(stages: readonly Stage[]): string {
  const all = labelStages(stages);
  if (stages.length <= maxListedStages) return all;
  const [min, max] = rateRange(stages).map(rate => Number(rate.toPrecision(3)));
  return `${stages.length}stages_${min}to${max}_${shortHash(all)}`;
}

/**
 * In the id of a scenario: `closed`, `poisson2000`, `burst5000x100`, `constant2000-up`, `constant1000x2s+1000to5000x0.5s`,
 * `recorded1x`.
 */
export function labelArrival(arrival: Arrival): string {
  if (arrival.kind === 'closed') return 'closed';
  if (arrival.kind === 'recorded') return `recorded${arrival.speed}x`;
  const size = arrival.kind === 'burst' ? `x${arrival.size}` : '';
  const leg = arrival.leg === undefined ? '' : `-${arrival.leg}`;
  const rate = arrival.stages === undefined ? arrival.rate : shortLabelOfStages(arrival.stages);
  return `${arrival.kind}${rate}${size}${leg}`;
}

/** "1000/s to 5000/s". */
export function describeRate({ rate, rampTo }: Pick<Stage, 'rate' | 'rampTo'>): string {
  return rampTo === null ? `${rate}/s` : `${rate}/s to ${rampTo}/s`;
}

/** "1000/s for 2 s, 1000/s to 5000/s for 0.5 s"; of more stages than `max` how many there are, and their rates. */
export function describeStages(stages: readonly Stage[], max = maxListedStages): string {
  if (stages.length <= max)
    return stages.map(stage => `${describeRate(stage)} for ${stage.seconds} s`).join(', ');
  const [lowest, highest] = rateRange(stages);
  return `${stages.length} stages of ${lowest}/s to ${highest}/s`;
}

/**
 * "closed loop", or the kind of an open loop with its rate: "poisson at 2000/s", "burst of 100 at 2000/s, up", "constant, 9/s
 * for 2 s", "recorded ×2 at 200/s on average".
 */
export function describeArrival({ kind, rate, size, stages, leg, speed }: ArrivalResult): string {
  if (kind === 'closed') return 'closed loop';
  if (kind === 'recorded') {
    const what = speed === undefined ? kind : `${kind} ×${speed}`;
    return rate === undefined ? what : `${what} at ${Number(rate.toPrecision(3))}/s on average`;
  }
  const what = size === undefined ? kind : `${kind} of ${size}`;
  if (stages !== undefined) return `${what}, ${describeStages(stages, 2)}`;
  return `${what}${rate === undefined ? '' : ` at ${rate}/s`}${leg === undefined ? '' : `, ${leg}`}`;
}

/** The part of a recording in a window: "the first 12 s of the 60 s recording", "the whole 60 s recording", "the 60 s recording 2.5 times". */
export function describeReplayed(windowSeconds: number, speed: number, recordedSeconds: number): string {
  const untilSeconds = windowSeconds * speed;
  const times = Number((untilSeconds / recordedSeconds).toPrecision(3));
  const recording = `${formatSeconds(recordedSeconds)} recording`;
  if (times > 1) return `the ${recording} ${times} times`;
  return times === 1
    ? `the whole ${recording}`
    : `the first ${formatSeconds(untilSeconds)} of the ${recording}`;
}

/**
 * `describeArrival` without one rate: "closed loop", "constant arrivals", "bursts of 100", "bursts of 100, 9/s for 2 s",
 * "recorded arrivals".
 */
export function describeArrivals({ kind, size, stages }: ArrivalResult): string {
  if (kind === 'closed') return 'closed loop';
  if (kind === 'recorded') return 'recorded arrivals';
  const what = size === undefined ? `${kind} arrivals` : `${kind}s of ${size}`;
  return stages === undefined ? what : `${what}, ${describeStages(stages)}`;
}
