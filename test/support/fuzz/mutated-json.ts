import fc from 'fast-check';
import { anyText } from '../any-text.ts';

/** What a schema, a renderer or an object may stumble over. */
const snags: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    0.5,
    1e308,
    -1e308,
    5e-324,
    2 ** 53,
    '',
    '__proto__',
    'constructor',
    'x'.repeat(2000),
    '\u0000\u001b[2J',
    '| ` <script>',
    '\ud800',
    [],
    {},
    [[[[[[]]]]]],
    'NaN',
    '1e999',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);

const edit = fc.record({
  place: fc.nat(),
  what: fc.constantFrom('replace', 'remove', 'add', 'repeat'),
  value: snags,
  key: fc.constantFrom('__proto__', 'constructor', 'toString', 'unknown', '0', ''),
});

/** One of these values with something in it replaced, removed, added or repeated, as JSON; sometimes its text is damaged, too. */
export function mutatedJson(bases: readonly unknown[]): fc.Arbitrary<string> {
  const whole = fc.tuple(fc.constantFrom(...bases), fc.array(edit, { minLength: 1, maxLength: 4 }));
  const mutated = whole.map(([base, edits]) => {
    const root = { root: structuredClone(base) };
    // A value of its own for each place: the same one in two could be put into itself.
    for (const one of edits) apply(root, { ...one, value: structuredClone(one.value) });
    return JSON.stringify(root.root) ?? 'null';
  });
  const damaged = fc.tuple(mutated, fc.nat(), fc.nat({ max: 20 }), anyText({ maxLength: 8 }));
  return fc.oneof(
    { weight: 4, arbitrary: mutated },
    {
      weight: 1,
      arbitrary: damaged.map(([text, at, removed, added]) => {
        const start = at % (text.length + 1);
        return text.slice(0, start) + added + text.slice(start + removed);
      }),
    },
  );
}

type Node = Record<string, unknown> | unknown[];

function apply(
  root: Node,
  { place, what, value, key }: { place: number; what: string; value: unknown; key: string },
): void {
  const places = placesIn(root);
  const [parent, name] = places[place % places.length] ?? [root, 'root'];
  const holder = parent as Record<string, unknown>;
  const there = holder[name];
  if (what === 'replace') holder[name] = value;
  else if (what === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(name), 1);
    else delete holder[name];
  } else if (what === 'repeat' && Array.isArray(there)) there.push(...structuredClone(there));
  else if (Array.isArray(there)) there.push(value);
  else if (typeof there === 'object' && there !== null)
    Object.defineProperty(there, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Every place in a tree at which there is a value: who holds it, and under which name. */
function placesIn(node: Node): [Node, string][] {
  return Object.entries(node).flatMap(([name, value]) => [
    [node, name] as [Node, string],
    ...(typeof value === 'object' && value !== null ? placesIn(value as Node) : []),
  ]);
}
