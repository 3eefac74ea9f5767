import type { Gate } from '../../aggregate/gates/gate.ts';
import { type MedianMetric, metrics } from '../../aggregate/stats/metrics.ts';
import { PoolbenchError } from '../errors.ts';
import { didYouMean, nearest } from './nearest.ts';

/** Metrics with one figure per round, by name: others have no ratio within a round. */
const gated: ReadonlyMap<string, MedianMetric> = new Map(
  Object.entries(metrics).flatMap(([name, metric]) => ('ofRound' in metric ? [[name, metric] as const] : [])),
);

const names = [...gated.keys()];

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
      `METRIC > +PERCENT% or METRIC < -PERCENT%, in quotes, found ${JSON.stringify(text)}${didYouMean(meantBy(text)) || '; an example: "response.p99 > +5%"'}`,
    );
  const metric = gated.get(name);
  if (metric === undefined)
    throw wrong(
      `${names.join(', ')} before ${comparator}, found ${JSON.stringify(text)}${didYouMean(meantBy(text))}`,
    );
  if (Number(change) <= -100)
    throw wrong(`a change above -100 %, found ${change}% in ${JSON.stringify(text)}`);
  return {
    condition: `${name} ${comparator} ${change}%`,
    metric,
    fails: comparator === '>' ? 'above' : 'below',
    threshold: 1 + Number(change) / 100,
  };
}

/**
 * The condition that an incomplete one probably means: "p99" for "response.p99 > +5%". Undefined without a known
 * metric.
 */
function meantBy(text: string): string | undefined {
  const [, typed = '', comparator, change = '5'] =
    /^([\w.]+)\s*([<>]?)=?\s*[+-]?(\d+(?:\.\d+)?)?/.exec(text) ?? [];
  const name = nearest(typed, names) ?? nearest(`response.${typed}`, names);
  const metric = gated.get(name ?? '');
  if (typed === '' || metric === undefined) return undefined;
  const isAbove = comparator ? comparator === '>' : metric.better === 'less';
  return `"${name} ${isAbove ? '> +' : '< -'}${change}%"`;
}

function wrong(expectedAndFound: string): PoolbenchError {
  return new PoolbenchError('USAGE', `--fail-if: expected ${expectedAndFound}`);
}
