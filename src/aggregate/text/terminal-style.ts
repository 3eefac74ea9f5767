import { styleText } from 'node:util';

/** Columns of a terminal that everything must fit. */
export const terminalWidth = 80;

export type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

/** From Node 22.13 on styleText looks at standard output itself, unless told not to: here the caller decides. */
const alwaysStyle: (...args: [...Parameters<Style>, { validateStream: boolean }]) => string = styleText;

/** Styles text, or leaves it as it is. */
export function styleIf(colour: boolean): Style {
  return (format, text) => (colour ? alwaysStyle(format, text, { validateStream: false }) : text);
}
