import { claims } from '../../src/aggregate/claims/claims.ts';
import type { ClaimResult, Result, RoundResult, ScenarioResult } from '../../src/aggregate/result.ts';
import { fieldsOf } from '../../src/aggregate/scenario/scenario.ts';
import { readConfig } from '../../src/main/experiment/read-config.ts';
import { expandScenarios, type Scenario } from '../../src/main/experiment/scenarios.ts';
import { buildLatency, buildRound, buildScenario, buildVerdict } from './result-builder.ts';

/** What a test has to say of one round of an arm; the rest is as usual. */
export interface ArmFigures {
  /** Throughput as a factor of what is usual. */
  readonly speed?: number;
  /** All response times as a factor of what is usual: a p99 of 1 ms. */
  readonly slowness?: number;
  readonly poolMetrics?: Partial<RoundResult['poolMetrics']>;
  readonly round?: Partial<RoundResult>;
}

export type FiguresOf = (scenario: Scenario, round: number) => ArmFigures;

/** Rounds that a suite of the tests has, unless a test is about their number. */
const usualRounds = 8;

/** So many operations, for their throughput, that the p99 of 100 workers rests on 10 cycles of their loop. */
const operationsFactor = 5;
const suites = new Map<string, Promise<readonly Scenario[]>>();

/** The scenarios of configs/claims/NAME.json, read once. */
function scenariosOf(name: string): Promise<readonly Scenario[]> {
  const known = suites.get(name);
  if (known !== undefined) return known;
  const reading = readConfig(`configs/claims/${name}.json`).then(({ scenarios }) =>
    expandScenarios(scenarios),
  );
  suites.set(name, reading);
  return reading;
}

/** The scenarios of configs/claims/NAME.json, as measured. Rounds have weather in common. */
export async function measureSuite(
  name: string,
  figuresOf: FiguresOf,
  rounds = usualRounds,
): Promise<ScenarioResult[]> {
  return (await scenariosOf(name)).map(scenario => {
    const measured = Array.from({ length: rounds }, (_, round) =>
      measure(scenario, figuresOf(scenario, round), round),
    );
    return buildScenario({ id: scenario.id, ...fieldsOf(scenario) }, measured);
  });
}

function measure(
  { batch }: Scenario,
  { speed = 1, slowness = 1, poolMetrics = {}, round = {} }: ArmFigures,
  index: number,
): RoundResult {
  const weather = 1 + 0.1 * Math.sin(index);
  const opsPerSecond = 20_000 * weather * speed;
  const operations = Math.round(opsPerSecond * operationsFactor);
  const usual = buildRound(index, opsPerSecond, {
    issued: operations,
    completed: operations,
    response: buildLatency(20_000, (0.4 * slowness) / weather),
    allServedMs: 10,
    loads: batch.pool === 'none' ? [] : [buildLoad(1, 5000, 0.4), buildLoad(100, 50_000, 4)],
  });
  return { ...usual, poolMetrics: { ...usual.poolMetrics, ...poolMetrics }, ...round };
}

/** The operations of workers with batches of one size. */
export function buildLoad(pipeline: number, opsPerSecond: number, p50: number): RoundResult['loads'][number] {
  const operations = opsPerSecond * operationsFactor;
  const latency = buildLatency(operations, p50);
  const counts = { issued: operations, completed: operations, failed: {}, unfinished: 0 };
  return { pipeline, ...counts, opsPerSecond, service: latency, response: latency };
}

/** The verdict on one claim, from a run against a real Redis unless `changes` say otherwise. */
export function judge(
  id: string,
  scenarios: readonly ScenarioResult[],
  changes: Partial<Result> = {},
): ClaimResult {
  return buildVerdict(id, scenarios, changes);
}

export function find(id: string, judged: readonly ClaimResult[]): ClaimResult {
  const claim = judged.find(one => one.id === id);
  if (claim === undefined) throw new Error(`expected ${id} to be judged`);
  return claim;
}

/** The claims that one run can be a test of. */
export const claimsOfOneServer = claims.filter(({ suite }) => suite !== 'versus');
