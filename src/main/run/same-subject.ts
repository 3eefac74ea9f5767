import type { Result } from '../../aggregate/result.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';

/** What figures are of: all that are to be judged together must be of the same. */
export type Subject = Pick<Result, 'target' | 'environment' | 'tool'>;

/**
 * Makes sure that what is about to be measured belongs to what was measured before.
 *
 * @param whole what they make together, for the message
 * @throws PoolbenchError USAGE with the first difference
 */
export function expectSameSubject(whole: 'ledger' | 'run', before: Subject, found: Subject): void {
  const difference = aspects(before).find(
    ([what, value], index) => aspects(found)[index]?.[1] !== value && what,
  );
  if (difference === undefined) return;
  const [what, expected] = difference;
  const is = aspects(found).find(([name]) => name === what)?.[1];
  throw new PoolbenchError(
    'USAGE',
    `expected the ${what} of the ${whole}, ${expected}, found ${is}; a ${whole} is of one target on one machine, by one version: make another one without --resume`,
  );
}

function aspects({ target, environment, tool }: Subject): [what: string, value: string][] {
  const { declared, detected } = target;
  return [
    ['target', `${declared.server} at ${declared.url}`],
    ['server', `${detected.server} ${detected.version} with ${sayThreads(detected.threads)}`],
    ['number of servers', detected.masters ? formatPlural(detected.masters, 'master') : 'one server'],
    ['machine', `${environment.cpu} with ${environment.cores} cores`],
    ['runtime', `Node ${environment.node}`],
    ['tool', `${tool.name} ${tool.version}`],
  ];
}

function sayThreads(threads: number | null): string {
  return threads === null ? 'an unknown number of threads' : formatPlural(threads, 'thread');
}
