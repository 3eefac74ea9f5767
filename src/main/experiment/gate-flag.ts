import type { Gate } from '../../aggregate/gates/gate.ts';
import { type MedianMetric, metrics } from '../../aggregate/stats/metrics.ts';
import { PoolbenchError } from '../errors.ts';
import { suggest } from './nearest.ts';

/** Metrics that every round has one figure of, by name: others make no ratio within a round. */
const gated: ReadonlyMap<string, MedianMetric> = new Map(
  Object.entries(metrics).flatMap(([name, metric]) => ('ofRound' in metric ? [[name, metric] as const] : [])),
);

/**
 * Reads the conditions of `--fail-if`: "response.p99 > +5%", or several with commas between them.
 *
 * @throws PoolbenchError USAGE
 */
export function parseGates(text: string | undefined): Gate[] {
  return text === undefined ? [] : text.split(',').map(condition => parseGate(condition.trim()));
}

function parseGate(text: string): Gate {
  const [, name = '', comparator, change] = /^([\w.]+)\s*([<>])\s*([+-]\d+(?:\.\d+)?)\s*%$/.exec(text) ?? [];
  if (comparator === undefined || change === undefined)
    throw wrong(
      `METRIC > +PERCENT% or METRIC < -PERCENT%, in quotes, such as "response.p99 > +5%" or "opsPerSecond < -5%", found ${JSON.stringify(text)}`,
    );
  const metric = gated.get(name);
  if (metric === undefined) {
    const names = [...gated.keys()];
    throw wrong(`${names.join(', ')} before ${comparator}, found ${name}${suggest(name, names)}`);
  }
  if (Number(change) <= -100)
    throw wrong(`a change above -100 %, found ${change}% in ${JSON.stringify(text)}`);
  return {
    condition: `${name} ${comparator} ${change}%`,
    metric,
    fails: comparator === '>' ? 'above' : 'below',
    threshold: 1 + Number(change) / 100,
  };
}

function wrong(expectedAndFound: string): PoolbenchError {
  return new PoolbenchError('USAGE', `--fail-if: expected ${expectedAndFound}`);
}
