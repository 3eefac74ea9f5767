import type { z } from 'zod';
import type { Path } from './json-text.ts';
import { didYouMean, nearest, suggest } from './nearest.ts';

type Issue = z.core.$ZodIssue;

/** What is wrong in a config, and where. */
interface Fault {
  readonly path: Path;
  /** The key at fault, in the object at the path, if the fault is not in the value. */
  readonly key?: string;
  /** `scenarios[0].workers: expected …, found …` */
  readonly text: string;
}

/** Longer keys are not misspellings, and more guesses would not be read. */
const maxWordLength = 64;
const maxGuesses = 50;

/** The keys that users may mean by other names. */
const otherNames: Readonly<Record<string, string>> = { reconnectEveryMs: 'cutEveryMs' };

/**
 * A fault for every issue of a schema: what was expected, what was found.
 *
 * @param input what the schema was given
 * @param name of the input, such as a flag
 */
export function faultsOf(issues: readonly Issue[], input: unknown, name = ''): Fault[] {
  const faults = issues.flatMap(issue => describe(issue, [], input, name));
  // A number that is neither whole nor in range breaks two rules with the same text.
  return [...new Map(faults.map(fault => [fault.text, fault])).values()];
}

/** The value at a path as messages name it: `scenarios[0].workers`. A single value stands for a list of one. */
export function nameOf(path: Path, input: unknown, name = ''): string {
  return locate(path, input, name).name;
}

function describe(issue: Issue, parents: readonly PropertyKey[], input: unknown, root: string): Fault[] {
  const path = [...parents, ...issue.path] as Path;
  const { name, value } = locate(path, input, root);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // In these unions the first branch is a single value, the second a list of values or another alternative.
    const isSingle = typeof value !== 'object' || value === null;
    const branch = issue.errors[isSingle || takesListsOnly(issue.errors[1], value) ? 0 : 1] ?? [];
    return branch.flatMap(nested => describe(nested, path, input, root));
  }
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.split(', ');
    const meant = meantKeys(issue.keys, known);
    return issue.keys.map((key, index) => {
      const guess = meant[index] === undefined ? '' : didYouMean(`"${meant[index]}"`);
      return { path, key, text: `${name}: unknown key ${shown(key)}${guess}; known keys: ${issue.message}` };
    });
  }
  const params = issue.code === 'custom' ? issue.params : undefined;
  const expected = String(params?.expected ?? issue.message);
  const found = params?.found ?? value;
  if (found === undefined) return [{ path, text: `${name}: missing; expected ${expected}` }];
  // Also if it is not text.
  const isPassword = path.at(-1) === 'password';
  const isWord = issue.code === 'invalid_value' && typeof found === 'string' && found.length <= maxWordLength;
  const guess = isWord
    ? suggest(
        found,
        issue.values.filter(value => typeof value === 'string'),
      )
    : didYouMean(params?.meant);
  return [
    { path, text: `${name}: expected ${expected}, found ${isPassword ? '***' : shown(found)}${guess}` },
  ];
}

/** The known key that each unknown key probably stands for; undefined if none is similar. */
export function meantKeys(keys: readonly string[], known: readonly string[]): (string | undefined)[] {
  return keys.map((key, index) => {
    const meant = otherNames[key];
    if (meant !== undefined && known.includes(meant)) return meant;
    return index < maxGuesses && key.length <= maxWordLength ? nearest(key, known) : undefined;
  });
}

/** Whether a branch takes only lists and the value is not one: then the issues of the branch do not help. */
function takesListsOnly(branch: readonly Issue[] | undefined, value: unknown): boolean {
  return (
    !Array.isArray(value) &&
    branch?.some(issue => issue.code === 'invalid_type' && issue.expected === 'array') === true
  );
}

/** Follows the path as far as it exists in the input. A single value stands for a list of one, so `[0]` may not exist. */
function locate(path: Path, input: unknown, root: string): { name: string; value: unknown } {
  let name = root;
  let value = input;
  for (const [index, key] of path.entries()) {
    const isLast = index === path.length - 1;
    if (typeof value !== 'object' || value === null) break;
    if (typeof key === 'number') {
      if (!Array.isArray(value)) continue;
      name += `[${key}]`;
    } else {
      name += step(key, name === '');
    }
    value = (value as Record<PropertyKey, unknown>)[key];
    if (value === undefined && !isLast) break;
  }
  return { name: name === '' ? 'top level' : name, value };
}

/** A key that would be ambiguous in a path, such as that of a threshold, is put in brackets. */
function step(key: string, isFirst: boolean): string {
  if (!/^[\w$-]{0,64}$/.test(key)) return `[${JSON.stringify(withoutSecrets(key).slice(0, 100))}]`;
  return isFirst ? key : `.${key}`;
}

/** A value for a message: shortened, and without possible passwords. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const clean = withoutSecrets(value);
  return JSON.stringify(clean.length > 40 ? `${clean.slice(0, 39)}…` : clean);
}

/** Hides everything before an @, whether or not the text is a well-formed URL. */
function withoutSecrets(text: string): string {
  return text.replace(/^([a-z]*:\/*)?.*@/is, '$1***@').replace(/(password=)[^&]*/gi, '$1***');
}
