import { z } from 'zod';
import { secondsOf, stageSchema } from '../../aggregate/scenario/arrival.ts';
import type { ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { listOf } from '../../aggregate/scenario/schema-parts.ts';
import type { Path } from './json-text.ts';
import { judgeEach, type Refuse } from './rules.ts';

/** All scenarios of a run have one measured time. Where arrivals have stages, it is the time that these take. */

interface Staged {
  readonly scenarios: readonly Pick<ScenarioGroup, 'arrival'>[];
  readonly populations: readonly { readonly arrival: ScenarioGroup['arrival'][number] }[];
}

type Arrival = ScenarioGroup['arrival'][number];

const stagesOf = (arrival: Arrival) => ('stages' in arrival ? arrival.stages : null);

/** Whether the measured time of an experiment is fixed by stages. */
export function hasStages({ scenarios, populations }: Staged): boolean {
  const arrivals = [...scenarios, ...populations].flatMap(({ arrival }) => arrival);
  return arrivals.some(arrival => stagesOf(arrival) !== null);
}

/** Refuses stages that do not add up to the measured time. */
export function checkStageSeconds(
  { seconds, scenarios, populations }: Staged & { readonly seconds: number },
  refuse: Refuse,
): void {
  const check = (arrival: Arrival, path: Path) => {
    const stages = stagesOf(arrival);
    if (stages === null) return;
    const found = secondsOf(stages);
    if (Math.abs(found - seconds) < 1e-6) return;
    const expected = `stages of ${seconds} s in total (the measured time of every scenario, seconds)`;
    refuse([...path, 'stages'], expected, stages, found);
  };
  judgeEach(scenarios, ({ arrival }, group) =>
    judgeEach(arrival, (one, index) => check(one, ['scenarios', group, 'arrival', index])),
  );
  judgeEach(populations, ({ arrival }, index) => check(arrival, ['populations', index, 'arrival']));
}

const loads = z.array(z.unknown()).catch([]);
/** An input without a measured time. */
const untimedInput = z.object({
  seconds: z.undefined().optional(),
  scenarios: loads,
  populations: loads,
});
const stagedInput = z.object({
  arrival: listOf(
    z.object({
      stages: z
        .array(z.object({ seconds: stageSchema.shape.seconds }))
        .min(1)
        .nullish(),
    }),
  ),
});

/** The input of a config, with the total of its first stages as the measured time unless it sets one. */
export function withStageSeconds(input: unknown): unknown {
  const { data } = untimedInput.safeParse(input);
  // Arrivals with faults do not count: their stages will change.
  const arrivals = [...(data?.scenarios ?? []), ...(data?.populations ?? [])].flatMap(
    load => stagedInput.safeParse(load).data?.arrival ?? [],
  );
  const [stages] = arrivals.flatMap(({ stages }) => (stages ? [stages] : []));
  return stages === undefined ? input : { ...(input as object), seconds: secondsOf(stages) };
}
