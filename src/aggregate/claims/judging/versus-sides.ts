import type { Result, ScenarioResult } from '../../result.ts';
import { formatList, toOneLine } from '../../text/format.ts';
import type { Evidence } from '../claim.ts';
import { type ArmPair, pairArms } from './arms.ts';

/** The scenarios of Redis and another server, the target, measured in turn: rounds of one number are pairs. */
export interface Sides extends Evidence {
  readonly ofRedis: ReadonlySet<ScenarioResult>;
  /** Redis first. */
  readonly results: readonly [Result, Result];
}

/** Why a run of one server is no test of a claim about two. */
export const takesTwoServers = 'It takes two servers, measured in turn: poolbench versus CONFIG CONFIG.';

/** The sides of Redis and `server` among these results, or why there are none, as a sentence. */
export function findSides(results: readonly Result[], server: 'valkey' | 'dragonfly'): Sides | string {
  const [redis, ...otherRedis] = results.filter(result => isReal(result, 'redis'));
  const [other, ...others] = results.filter(result => isReal(result, server));
  if (redis === undefined) return sayMissing(results, 'redis');
  if (other === undefined) return sayMissing(results, server);
  if (otherRedis.length > 0) return saySeveral('redis', [redis, ...otherRedis]);
  if (others.length > 0) return saySeveral(server, [other, ...others]);
  if (redis.session === undefined || redis.session !== other.session) {
    return 'The two servers were not measured in turn by one run (poolbench versus), so their rounds are no pairs.';
  }
  const ofRedis = named(redis);
  const scenarios = [...ofRedis, ...named(other)];
  return { target: other.target, scenarios, ofRedis: new Set(ofRedis), results: [redis, other] };
}

/** Every scenario of Redis that `isWanted`, with its equal on the other server. */
export function pairSides(
  scenarios: readonly ScenarioResult[],
  { ofRedis }: Sides,
  isWanted: (scenario: ScenarioResult) => boolean,
): ArmPair[] {
  return pairArms(scenarios, {
    isBase: scenario => ofRedis.has(scenario) && isWanted(scenario),
    isOther: scenario => !ofRedis.has(scenario) && isWanted(scenario),
    differ: [],
  });
}

function isReal({ target }: Result, server: string): boolean {
  return target.detected.server === server && !target.standIn;
}

/** Scenarios of both sides have the same ids, so the server goes before. */
function named({ scenarios, target: { detected } }: Result): ScenarioResult[] {
  return scenarios.map(scenario => ({ ...scenario, id: `${detected.server}: ${scenario.id}` }));
}

function saySeveral(server: string, sides: readonly Result[]): string {
  const names = formatList(sides.map(({ name }) => toOneLine(name)));
  return `Several sides are ${server} (${names}), and which of them to judge is not ours to choose; compare two of the results: poolbench compare A B.`;
}

function sayMissing(results: readonly Result[], server: string): string {
  const declared = results.find(({ target }) => target.declared.server === server);
  if (declared === undefined) return `No side of the comparison is ${server}. ${takesTwoServers}`;
  const answered = toOneLine(`${declared.target.detected.server} ${declared.target.detected.version}`);
  return `A config declares ${server}, but ${answered} answered in its place, so nothing is said of ${server}.`;
}
