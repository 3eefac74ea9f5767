/** The faults that a refused config is told, without where they are: `rounds: expected …, found …`. */
export function faultsIn(message: string): string[] {
  return message
    .split('\n')
    .slice(1, -1)
    .map(line => line.trim().replace(/^\S+?:\d+:\d+: /, ''));
}
