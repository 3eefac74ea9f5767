import { asTypedHere, quote } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { didYouMean } from '../experiment/nearest.ts';

/** An option of poolbench that npm can take. */
interface Takeable {
  readonly name: string;
  /** The name of its value in the help; undefined: it is a switch. */
  readonly value: string | undefined;
}

/**
 * Without `--`, npm takes options for itself with only a warning: a run of half a minute would then take three.
 *
 * @param options all that npm has no meaning of its own for
 * @throws PoolbenchError USAGE with the line to type
 */
export function refuseTakenByNpm(args: readonly string[], options: readonly Takeable[]): void {
  if (!['start', 'claims'].includes(process.env.npm_lifecycle_event ?? '')) return;
  const isTyped = (name: string) => args.some(arg => arg === `--${name}` || arg.startsWith(`--${name}=`));
  const taken = options.flatMap(({ name, value }) => {
    const kept = keptByNpm(name);
    if (kept === undefined || isTyped(name)) return [];
    // From `--rounds 5` npm takes the option and leaves its value among the operands; from `--rounds=5` it takes both.
    const isTorn = value !== undefined && kept === 'true' && !value.includes('true');
    return [{ name, value, kept, isTorn }];
  });
  if (taken.length === 0) return;
  const torn = taken.filter(({ isTorn }) => isTorn).length;
  const operands = torn < args.length ? args.slice(0, args.length - torn) : args;
  const [left] = args.slice(operands.length);
  const words = taken.map(({ name, value, kept, isTorn }) => {
    if (value === undefined) return `--${name}`;
    // With several, it is unclear which value belongs to which.
    const known = isTorn ? (torn === 1 ? left : undefined) : kept;
    return `--${name} ${known === undefined ? value : quote(known)}`;
  });
  const names = taken.map(({ name }) => `--${name}`).join(', ');
  throw new PoolbenchError(
    'USAGE',
    `npm took ${names} for itself, because -- is missing before the options${didYouMean(asTypedHere(...operands.map(quote), ...words))}`,
  );
}

/**
 * What npm put into the environment for an option that it took; undefined if it took none. A negated option leaves
 * nothing.
 */
function keptByNpm(name: string): string | undefined {
  const key = (option: string) => `npm_config_${option.replaceAll('-', '_')}`;
  if (!name.startsWith('no-')) return process.env[key(name)];
  return process.env[key(name.slice('no-'.length))] === '' ? 'true' : undefined;
}
