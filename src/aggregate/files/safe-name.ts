/** Leaves room for an ending in the 255 bytes that a file system takes. */
const longest = 200;

/** The id of a scenario, which may come from anywhere, where only letters, digits, `.`, `_`, `+` and `-` may stand; never empty. */
export function safeName(id: string): string {
  return id.replace(/[^\w.+-]/g, '_').slice(0, longest) || '_';
}

/** Safe names for files side by side: no two alike, not even where letters are not told apart by case. */
export function uniqueNames(ids: readonly string[]): string[] {
  const taken = new Set<string>();
  return ids.map(id => {
    const name = safeName(id);
    let unique = name;
    for (let attempt = 2; taken.has(unique.toLowerCase()); attempt++) unique = `${name}_${attempt}`;
    taken.add(unique.toLowerCase());
    return unique;
  });
}
