/** The faults in the message of a refused config, without their places: `rounds: expected …, found …`. */
export function faultsIn(message: string): string[] {
  return message
    .split('\n')
    .slice(1, -1)
    .map(line => line.trim().replace(/^\S+?:\d+:\d+: /, ''));
}

/** A fault without its prose: the path, what is quoted, the figures, and what was found. */
export function outlineOf(fault: string): string {
  const [, path = '', expected = '', found = ''] = /^(?:(\S+): )?(.*?)(?:, found (.*))?$/s.exec(fault) ?? [];
  const tokens = `${expected} `.match(/missing|unknown key|"[^"]*"|'[^']'|(?<=\s)\d[\d.]*(?=\W)/g) ?? [];
  return [path, ...tokens, found && `found ${found}`].join(' ').trim();
}
