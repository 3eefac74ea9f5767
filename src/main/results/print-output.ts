import { takesColour } from '../terminal-abilities.ts';

/**
 * Prints what a command found on standard output: as JSON, or rendered for a terminal.
 *
 * @param render is told whether standard output takes colours
 */
export function printOutput(
  found: unknown,
  { json, render }: { readonly json: boolean | undefined; readonly render: (colour: boolean) => string },
): void {
  const colour = takesColour(process.stdout);
  process.stdout.write(json ? `${printableJson(found)}\n` : render(colour));
}

/** JSON escapes the lower control characters only; a terminal obeys others, too, and text from a server may hold them. */
function printableJson(found: unknown): string {
  return JSON.stringify(found, null, 1).replace(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu, character =>
    character
      .split('')
      .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
