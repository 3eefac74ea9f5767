import type { Ledger } from '../../aggregate/ledger/ledger.ts';
import { formatPlural } from '../../aggregate/text/format.ts';
import { PoolbenchError } from '../errors.ts';

/** What a ledger is of: all its entries must be of the same. */
type Subject = Pick<Ledger, 'target' | 'environment' | 'tool'>;

/**
 * Makes sure that what is about to be measured belongs into a ledger.
 *
 * @throws PoolbenchError USAGE with the first difference
 */
export function expectSameTarget(ledger: Subject, found: Subject): void {
  const difference = aspects(ledger).find(
    ([what, value], index) => aspects(found)[index]?.[1] !== value && what,
  );
  if (difference === undefined) return;
  const [what, expected] = difference;
  const is = aspects(found).find(([name]) => name === what)?.[1];
  throw new PoolbenchError(
    'USAGE',
    `expected the ${what} of the ledger, ${expected}, found ${is}; a ledger is of one target on one machine, by one version: make another one without --resume`,
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
