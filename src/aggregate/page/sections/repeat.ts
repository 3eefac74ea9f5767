import { fileName } from '../../report/file-name.ts';
import type { Result } from '../../result.ts';
import { type Html, html } from '../html.ts';
import { fold } from '../table.ts';

/** The command that repeats the run, and the config it takes, seed included: both to copy. */
export function repeat({ name, config, seed }: Pick<Result, 'name' | 'config' | 'seed'>): Html {
  const file = fileName(name);
  return html`<p>Save the config as <code>${file}</code> (add the password to the URL, if there is one); its seed is ${seed}. Then:</p>${copyable(
    'The command',
    `npm start -- ${file}`,
  )}${fold('The config, every key with its value', copyable('The config', JSON.stringify(config, null, 2)))}`;
}

function copyable(name: string, text: string): Html {
  return html`<div class="copy"><button type="button" hidden aria-label="Copy: ${name}">Copy</button><pre tabindex="0" aria-label="${name}"><code>${text}</code></pre></div>`;
}
