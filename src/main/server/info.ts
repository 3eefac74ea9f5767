/** Reads the text that INFO answers with: `key:value` lines, section headings after `#`. */
export function parseInfo(text: string): Map<string, string> {
  const info = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return info;
}

/** A field as a number, or null where it is missing or not one. */
export function infoNumber(info: ReadonlyMap<string, string>, key: string): number | null {
  const text = info.get(key);
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}

/** CPU seconds the server has used since it started, user and system; null where INFO does not tell. */
export function serverCpu(info: ReadonlyMap<string, string>): {
  all: number | null;
  mainThread: number | null;
} {
  const sum = (suffix: string): number | null => {
    const user = infoNumber(info, `used_cpu_user${suffix}`);
    const system = infoNumber(info, `used_cpu_sys${suffix}`);
    return user === null || system === null ? null : user + system;
  };
  return { all: sum(''), mainThread: sum('_main_thread') };
}

/**
 * How often the server has run the named commands, from INFO commandstats; null where it keeps no such count.
 * Names are compared without case: Dragonfly prints `cmdstat_GET`.
 */
export function commandCalls(info: ReadonlyMap<string, string>, names: readonly string[]): number | null {
  const wanted = new Set(names.map(name => `cmdstat_${name.toLowerCase()}`));
  let counted = false;
  let calls = 0;
  for (const [key, value] of info) {
    const name = key.toLowerCase();
    if (!name.startsWith('cmdstat_')) continue;
    counted = true;
    if (wanted.has(name)) calls += Number(/\bcalls=(\d+)/.exec(value)?.[1] ?? 0);
  }
  return counted ? calls : null;
}
