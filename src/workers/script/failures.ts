/** More are counted under SCRIPT, so that codes with numbers in them do not fill the memory. */
const maxCodes = 32;
const maxLength = 300;

/** Why sessions failed: the first message of each code. */
export class Failures {
  readonly #messages = new Map<string, string>();

  /** @returns the code under which it is counted */
  note(code: string, error: unknown): string {
    const isUsable = /^[A-Z][A-Z0-9_]{0,63}$/.test(code);
    const counted =
      isUsable && (this.#messages.has(code) || this.#messages.size < maxCodes) ? code : 'SCRIPT';
    if (!this.#messages.has(counted)) this.#messages.set(counted, messageOf(error));
    return counted;
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
