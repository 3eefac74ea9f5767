import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';

/** More are counted under SCRIPT, so that codes with numbers in them do not fill the memory. */
const maxCodes = 32;
const maxLength = 300;

/** Why sessions failed: the first message of each code. */
export class Failures {
  readonly #messages = new Map<string, string>();
  readonly #file: string;

  /** @param file of the script, whose lines the messages name */
  constructor(file: string) {
    this.#file = file;
  }

  /** @returns the code under which it is counted */
  note(code: string, error: unknown): string {
    const isUsable = /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
    const counted =
      isUsable && (this.#messages.has(code) || this.#messages.size < maxCodes) ? code : 'SCRIPT';
    if (!this.#messages.has(counted)) this.#messages.set(counted, messageOf(error) + this.#placeOf(error));
    return counted;
  }

  /** Whether an error was thrown in the script. */
  areFrom(error: unknown): boolean {
    return this.#placeOf(error) !== '';
  }

  /** " (checkout.mjs:12)": where in the script it happened, by the first line of the stack that lies in it. */
  #placeOf(error: unknown): string {
    const stack = error instanceof Error ? String(error.stack) : '';
    for (const place of [pathToFileURL(this.#file).href, this.#file]) {
      const at = stack.indexOf(`${place}:`);
      const line = at < 0 ? null : /^\d+/.exec(stack.slice(at + place.length + 1));
      if (line !== null) return ` (${basename(this.#file)}:${line[0]})`;
    }
    return '';
  }

  get messages(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#messages);
  }
}

function messageOf(error: unknown): string {
  let text: string;
  try {
    text = error instanceof Error ? error.message : String(error);
  } catch {
    text = 'an error without a message';
  }
  return text.replace(/\s+/g, ' ').trim().slice(0, maxLength);
}
