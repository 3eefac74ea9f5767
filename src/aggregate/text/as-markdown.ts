import { toOneLine } from './format.ts';

/** Text from outside as plain text on one line of Markdown: it can end no table cell, start no markup and no HTML. */
export function asMarkdown(text: string): string {
  return toOneLine(text)
    .replace(/[\\`*_[\]|~#]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/^[-+=]/, '\\$&');
}
