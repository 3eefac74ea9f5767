import { z } from 'zod';
import { limits } from '../../aggregate/scenario/limits.ts';
import { configNames } from '../../aggregate/scenario/scenario.ts';
import { numberBetween, oneOf, section, wholeNumber } from '../../aggregate/scenario/schema-parts.ts';
import type { ConditionName } from '../../aggregate/search/conditions.ts';
import { fixedRounds, type RoundsRange } from '../../aggregate/stats/sign-test.ts';
import { besideRules, ofEachLoad, populations } from './populations.ts';
import { rules } from './rules.ts';
import { scenarioGroup } from './scenario-group.ts';
import { expandScenarios } from './scenarios.ts';
import { checkStageSeconds } from './stage-seconds.ts';
import { target } from './target.ts';
import { checkThresholdKeys, thresholds } from './thresholds.ts';
import { workload } from './workload.ts';
import { targetRules, workloadRules } from './workload-misfits.ts';

const conditions = {
  responseP99Ms: numberBetween(0.001, 600_000, 'milliseconds').nullable().default(null).meta({
    description: 'Max response p99 of a repeat; null: any',
    unit: 'milliseconds',
  }),
  completedShare: numberBetween(0, 1).default(0.99).meta({
    description: 'Min fraction of the operations due in a repeat that must complete',
    unit: 'fraction, 0 to 1',
  }),
  failedShare: numberBetween(0, 1).default(0.001).meta({
    description: 'Max fraction of the operations sent in a repeat that may fail',
    unit: 'fraction, 0 to 1',
  }),
} satisfies Record<ConditionName, z.ZodType>;

const search = section({
  ...conditions,
  precision: numberBetween(0.005, 1).default(0.05).meta({
    description: 'Max distance between the rates that clearly pass and clearly fail at the end',
    unit: 'fraction of the lower one',
  }),
})
  .nullable()
  .default(null)
  .meta({
    description:
      'Conditions for `poolbench search`, which looks for the highest rate that meets them; null: none. Other commands ignore them',
  });

/** Of one scenario in one round. */
export const measuredSeconds = numberBetween(limits.minSeconds, limits.seconds, 'seconds');
export const warmupTime = numberBetween(0, 600, 'seconds');
/** In milliseconds. */
export const timeout = wholeNumber(10, 600_000, 'milliseconds');

/** Of a run that takes as many rounds as it needs, unless the config has another one. */
export const usualBudgetSeconds = 360;
/** A fixed number of rounds. */
export const roundCount = wholeNumber(1, limits.rounds);

const rounds = z
  .union([
    roundCount,
    section({
      atLeast: wholeNumber(1, limits.rounds).meta({
        description: 'Number of rounds before the run first checks whether its questions are decided',
        unit: 'rounds',
      }),
      atMost: wholeNumber(1, limits.rounds).meta({
        description: 'Max number of rounds, even if a question is open',
        unit: 'rounds',
      }),
    }).check(
      rules(({ atLeast, atMost }, refuse) => {
        if (atLeast > atMost) refuse(['atMost'], `at least as many rounds as atLeast, ${atLeast}`, atMost);
      }),
    ),
  ])
  .transform((value): RoundsRange => (typeof value === 'number' ? fixedRounds(value) : value));

/**
 * The single definition of a config file, with parts in neighbouring files. `configs/schema.json` and the type
 * `Experiment` are derived from it.
 */
export const experimentSchema = section({
  $schema: z
    .string({ error: 'the path of schema.json' })
    .optional()
    .meta({ description: 'Lets an editor complete and explain the keys' }),
  name: z
    .string({ error: '1 to 64 letters, digits, ".", "_" or "-"' })
    .regex(/^[\w.-]{1,64}$/, { error: '1 to 64 letters, digits, ".", "_" or "-"' })
    .meta({ description: 'Name of the experiment, and part of the name of its results folder' }),
  target,
  clientsFrom: z
    .string({ error: 'the path of a folder, or null' })
    .min(1, { error: 'the path of a folder' })
    .nullable()
    .default(null)
    .meta({
      description:
        "Folder from which packages and modules of clients are resolved, relative to the config's folder; null: the config's folder",
    }),
  workload: workload.prefault({}),
  scenarios: z
    .array(scenarioGroup, { error: 'a list of groups' })
    .min(1, { error: 'at least one group, such as { "workers": [10, 50] }' })
    .meta({
      description:
        'The scenarios to measure: a list of groups. Every combination of values in a group is one scenario',
    }),
  populations,
  compare: z
    .array(oneOf(configNames), { error: 'a list of scenario keys, or null' })
    .min(1, { error: 'at least one scenario key' })
    .nullable()
    .default(null)
    .meta({
      description:
        'Scenario keys whose values are compared. Scenarios that differ only in these are measured right after one another. null: beside if it varies; otherwise the only key that varies, or pools and poolsPerThread',
    }),
  rounds: rounds.prefault({ atLeast: 10, atMost: 50 }).meta({
    description:
      'How often each scenario is measured: a number, or until every comparison is decided, within limits; fewer than 6 rounds give no verdict',
    unit: 'rounds',
  }),
  budgetSeconds: numberBetween(1, 86_400, 'seconds')
    .nullable()
    .default(null)
    .meta({
      description: `Time limit for the measured rounds; the run then ends even if a question is open; null: ${usualBudgetSeconds}, or no limit for a fixed number of rounds`,
      unit: 'seconds',
    }),
  seconds: measuredSeconds.default(1).meta({
    description:
      'Measured time of each scenario in each round. Optional with stages or recorded arrivals: it is then the length of the stages or of the recording',
    unit: 'seconds',
  }),
  warmupSeconds: warmupTime
    .default(0.25)
    .meta({ description: 'Load before the measured time; its operations are discarded', unit: 'seconds' }),
  seed: wholeNumber(0, 2 ** 32 - 1)
    .default(1)
    .meta({ description: 'The same seed gives the same keys and the same order of scenarios' }),
  timeoutMs: timeout.default(5000).meta({
    description:
      'A batch without an answer after this time fails; a target that is silent for twice as long is lost',
    unit: 'milliseconds',
  }),
  maxFailedShare: numberBetween(0, 1).default(0.01).meta({
    description:
      'The run fails (exit code 1) if the fraction of failed and unfinished operations is above this',
    unit: 'fraction, 0 to 1',
  }),
  thresholds,
  search,
})
  .check(
    rules(
      ...workloadRules.map(rule => ofEachLoad(rule)),
      ...targetRules.map(rule => ofEachLoad(rule)),
      ...besideRules,
      checkStageSeconds,
      ({ thresholds, scenarios }, refuse) =>
        checkThresholdKeys(thresholds, expandScenarios(scenarios), refuse),
    ),
  )
  .meta({
    title: 'poolbench experiment',
    description: 'A target, a workload, a matrix of scenarios and the number of rounds',
  });

/** A config with every default filled in. */
export type Experiment = z.output<typeof experimentSchema>;

/** A config as written: keys with a default can be left out. `configs/README.md` explains every key. */
export type ExperimentConfig = z.input<typeof experimentSchema>;

/** An experiment with another target or another time, which must still fit its workload. */
export const retargeted = z
  .custom<Experiment>()
  .check(rules(...targetRules.map(rule => ofEachLoad(rule)), checkStageSeconds));
