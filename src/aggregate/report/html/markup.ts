import { toPlainLines } from '../../text/format.ts';

/** Safe markup: made by `html`, or from this program's own text. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What a template takes: markup, text that is escaped, nothing (null and false), or a list of these. */
export type Content = Html | string | number | null | false | readonly Content[];

/** A template of HTML or SVG. Every value is escaped, also for an attribute in double quotes, unless it is markup itself. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, index) => part + markupOf(values[index] ?? null)).join(''));
}

function markupOf(content: Content): string {
  if (content === null || content === false) return '';
  if (content instanceof Html) return content.toString();
  if (typeof content === 'string') return escapeText(content);
  if (typeof content === 'number') return String(content);
  return content.map(markupOf).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return toPlainLines(text).replace(/[&<>"']/g, character => entities[character] ?? '');
}
