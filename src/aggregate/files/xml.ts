/** What XML 1.0 allows in a document at all, escaped or not. */
const illegal = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // As they are, parsers would make blanks of them.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * An element as indented lines.
 *
 * @param attributes whose values may be any text from outside
 * @param content elements, or a text from outside
 */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly (readonly string[])[],
): string[] {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}="${escapeXml(String(value))}"`);
  const tag = [name, ...pairs].join(' ');
  if (content.length === 0) return [`<${tag}/>`];
  if (typeof content === 'string') return [`<${tag}>${escapeXml(content)}</${name}>`];
  return [`<${tag}>`, ...content.flat().map(line => `  ${line}`), `</${name}>`];
}

function escapeXml(text: string): string {
  return text.replace(illegal, '').replace(/[&<>"\t\n\r]/g, character => escapes[character] ?? '');
}
