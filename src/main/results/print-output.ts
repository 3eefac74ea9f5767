import { takesColour } from '../live/abilities.ts';

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
  process.stdout.write(json ? `${JSON.stringify(found, null, 1)}\n` : render(colour));
}
