import type { z } from 'zod';
import { nearest } from './nearest.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Unknown keys that are named one by one, and the longest that may be a misspelling. */
const mostKeys = 20;
const longestWord = 64;

/**
 * One line for every fault: where, what was expected, what was found.
 *
 * @param input what the schema was given
 * @param at name of the input, where it is a part of something: a flag
 */
export function explainIssues(issues: readonly Issue[], input: unknown, at = ''): string[] {
  const lines = issues.flatMap(issue => explain(issue, [], input, at));
  // A number that is neither whole nor in range breaks two rules of the same text.
  return [...new Set(lines)];
}

function explain(issue: Issue, parents: Path, input: unknown, at: string): string[] {
  const path = [...parents, ...issue.path];
  const { name, value } = locate(path, input, at);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // In such unions the first branch is a single value, the second a list of values or what else can stand there.
    const isSingle = typeof value !== 'object' || value === null;
    const branch = issue.errors[isSingle || onlyLists(issue.errors[1], value) ? 0 : 1] ?? [];
    return branch.flatMap(nested => explain(nested, path, input, at));
  }
  if (issue.code === 'unrecognized_keys') return [`${name}: ${unknownKeys(issue.keys, issue.message)}`];
  const params = issue.code === 'custom' ? issue.params : undefined;
  const expected = String(params?.expected ?? issue.message);
  const found = params?.found ?? value;
  if (found === undefined) return [`${name}: missing; expected ${expected}`];
  // A password that is not text is one all the same.
  const hidden = path.at(-1) === 'password';
  return [`${name}: expected ${expected}, found ${hidden ? '***' : shown(found)}`];
}

/** Whether a branch takes lists alone, and this is none: then nothing it says is of use. */
function onlyLists(branch: readonly Issue[] | undefined, value: unknown): boolean {
  return (
    !Array.isArray(value) &&
    branch?.some(issue => issue.code === 'invalid_type' && issue.expected === 'array') === true
  );
}

function unknownKeys(keys: readonly string[], known: string): string {
  const named = keys.slice(0, mostKeys).map(key => {
    const suggestion = key.length > longestWord ? undefined : nearest(key, known.split(', '));
    return suggestion ? `${shown(key)} (did you mean "${suggestion}"?)` : shown(key);
  });
  if (keys.length > mostKeys) named.push(`and ${keys.length - mostKeys} more`);
  return `unknown key${keys.length > 1 ? 's' : ''} ${named.join(', ')}; known are ${known}`;
}

/** Follows the path as far as the input has it: a single value stands for a list of one, so `[0]` may be one key too many. */
function locate(path: Path, input: unknown, at: string): { name: string; value: unknown } {
  let name = at;
  let value = input;
  for (const [index, key] of path.entries()) {
    const last = index === path.length - 1;
    if (typeof value !== 'object' || value === null) break;
    if (typeof key === 'number') {
      if (!Array.isArray(value)) continue;
      name += `[${key}]`;
    } else {
      name += step(String(key), name === '');
    }
    value = (value as Record<PropertyKey, unknown>)[key];
    if (value === undefined && !last) break;
  }
  return { name: name === '' ? 'top level' : name, value };
}

/** A key that no path could hold without doubt, such as that of a threshold, stands in brackets. */
function step(key: string, isFirst: boolean): string {
  if (!/^[\w$-]{0,64}$/.test(key)) return `[${JSON.stringify(withoutSecrets(key).slice(0, 100))}]`;
  return isFirst ? key : `.${key}`;
}

/** A value for a message: short, and without what may be a password. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const clean = withoutSecrets(value);
  return JSON.stringify(clean.length > 40 ? `${clean.slice(0, 39)}…` : clean);
}

/** Hides all that stands before an @, whether or not the text is a well-formed URL. */
function withoutSecrets(text: string): string {
  return text.replace(/^([a-z]*:\/*)?.*@/is, '$1***@').replace(/(password=)[^&]*/gi, '$1***');
}
