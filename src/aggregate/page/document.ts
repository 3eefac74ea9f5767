import { createHash } from 'node:crypto';
import { type Content, Html, html } from './html.ts';
import { script } from './script.ts';
import type { Section } from './section.ts';
import { style } from './style.ts';

export interface Page {
  /** Of the window. */
  readonly title: string;
  readonly header: Content;
  /** Shouted at the top, and again at the end. */
  readonly alarms: readonly string[];
  readonly sections: readonly Section[];
  readonly footer: Content;
}

const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
/** Nothing is fetched, and nothing runs but what this program wrote. */
const policy = `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`;

/** One self-contained file. */
export function renderDocument({ title, header, alarms, sections, footer }: Page): string {
  const shouted = alarms.map(alarm => html`<p class="alarm">${alarm}</p>`);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
${shouted}
<header>${header}</header>
<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main>
${sections.map(
  ({
    id,
    title,
    content,
  }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${content}</section>
`,
)}</main>
${shouted}
<footer>${footer}</footer>
<p id="keys" hidden>The arrow keys tell the values of this chart.</p>
<div id="tip" hidden></div><div id="said" aria-live="polite"></div>
<script>${new Html(script)}</script>
</body>
</html>
`;
  return page.toString();
}
