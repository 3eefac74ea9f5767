import { type Content, type Html, html } from '../html.ts';

export interface Figure {
  readonly title: string;
  /** What the axes measure in, and how it was made. */
  readonly subtitle: string;
  readonly legend?: Content;
  readonly drawing: Content;
  /** The same in figures, for those who cannot see it: folded. */
  readonly table: Content;
  readonly small?: boolean;
}

/** A chart with its title and its table. Its values are read by pointer, or with the arrow keys. */
export function figure({ title, subtitle, legend = null, drawing, table, small = false }: Figure): Html {
  return html`<figure class="chart${small && ' small'}"><figcaption><b>${title}</b> <span>${subtitle}</span></figcaption>${legend}<div class="drawing" tabindex="0" role="group" aria-label="${title}" aria-describedby="keys">${drawing}</div>${table}</figure>`;
}
