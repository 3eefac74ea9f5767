import { z } from 'zod';
import { secondsOf } from '../../aggregate/scenario/arrival.ts';
import type { ScenarioGroup } from '../../aggregate/scenario/scenario.ts';
import { listOf, type refuser } from '../../aggregate/scenario/schema-parts.ts';

/** All scenarios of a run have one measured time. Where arrivals have stages, it is the time that these take. */

interface Staged {
  readonly scenarios: readonly Pick<ScenarioGroup, 'arrival'>[];
  readonly populations: readonly { readonly arrival: ScenarioGroup['arrival'][number] }[];
}

/** The stages of each arrival that has some, with their path in the config. */
function stagesOf({ scenarios, populations }: Staged) {
  const arrivals = [
    ...scenarios.flatMap(({ arrival }, group) =>
      arrival.map((one, index) => ({ path: ['scenarios', group, 'arrival', index], arrival: one })),
    ),
    ...populations.map(({ arrival }, index) => ({ path: ['populations', index, 'arrival'], arrival })),
  ];
  return arrivals.flatMap(({ path, arrival }) =>
    'stages' in arrival && arrival.stages !== null
      ? [{ path: [...path, 'stages'], stages: arrival.stages }]
      : [],
  );
}

/** Whether the measured time of an experiment is fixed by stages. */
export function hasStages(experiment: Staged): boolean {
  return stagesOf(experiment).length > 0;
}

/** Refuses stages that do not add up to the measured time. */
export function checkStageSeconds(
  experiment: Staged & { readonly seconds: number },
  refuse: ReturnType<typeof refuser>,
): void {
  const { seconds } = experiment;
  for (const { path, stages } of stagesOf(experiment)) {
    const found = secondsOf(stages);
    if (Math.abs(found - seconds) < 1e-6) continue;
    const expected = `stages of ${seconds} s in total (the measured time of every scenario, seconds)`;
    refuse(path, expected, stages, found);
  }
}

const stagedInputs = z.array(
  z.object({
    arrival: listOf(
      z.object({
        stages: z
          .array(z.object({ seconds: z.number() }))
          .min(1)
          .nullish(),
      }),
    ).optional(),
  }),
);

/** An input without a measured time that has stages. */
const untimedInput = z.object({
  seconds: z.undefined().optional(),
  scenarios: stagedInputs,
  populations: stagedInputs.optional(),
});

/** The input of a config, with the total of its first stages as the measured time unless it sets one. */
export function withStageSeconds(input: unknown): unknown {
  const { data } = untimedInput.safeParse(input);
  const [stages] = [...(data?.scenarios ?? []), ...(data?.populations ?? [])].flatMap(({ arrival = [] }) =>
    arrival.flatMap(one => (one.stages ? [one.stages] : [])),
  );
  return stages === undefined ? input : { ...(input as object), seconds: secondsOf(stages) };
}
