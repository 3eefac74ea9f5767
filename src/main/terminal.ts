type Output = Pick<NodeJS.WriteStream, 'isTTY' | 'hasColors'>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Whether lines may be painted over: on a terminal that can, and not in a CI log that only looks like a terminal. */
export function canRedraw(stream: Output, env: Environment = process.env): boolean {
  const inCi = !['', '0', 'false'].includes(env.CI ?? '');
  return stream.isTTY === true && env.TERM !== 'dumb' && !inCi;
}

/** Whether text may have colours: NO_COLOR and FORCE_COLOR decide, else the terminal does. */
export function takesColour(stream: Output, env: Environment = process.env): boolean {
  if (env.FORCE_COLOR !== undefined) return !['0', 'false'].includes(env.FORCE_COLOR);
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  return stream.isTTY === true && stream.hasColors({ ...env });
}

/**
 * Prints what a command found on standard output: as JSON, or rendered for a terminal.
 *
 * @param render gets whether standard output takes colours
 */
export function printOutput(
  found: unknown,
  { json, render }: { readonly json: boolean | undefined; readonly render: (colour: boolean) => string },
): void {
  const colour = takesColour(process.stdout);
  process.stdout.write(json ? `${printableJson(found)}\n` : render(colour));
}

/** JSON escapes only the lower control characters. A terminal obeys others, too, and text from a server may hold them. */
function printableJson(found: unknown): string {
  return JSON.stringify(found, null, 1).replace(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu, character =>
    character
      .split('')
      .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
