import {
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
  symbolWye,
} from 'd3-shape';
import { type Html, html } from '../html.ts';

/** How a line or a mark looks, by its number: a colour with a form and dashes of its own, for who cannot tell colours apart. */

const forms = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond, symbolCross, symbolStar, symbolWye];
/** Colours of the style sheet: classes c0 to c6. */
export const looks = forms.length;

/** The class of a look's colour; of −1 that of text. */
export function colourOf(look: number): string {
  return look < 0 ? 'plain' : `c${look % looks}`;
}

/** The outline of a mark around (0, 0). */
export function markPath(look: number, size = 46): string {
  return symbol(forms[look % looks] ?? symbolCircle, size).digits(1)() ?? '';
}

export interface LegendEntry {
  readonly name: string;
  readonly look: number;
  readonly dashed?: boolean;
  /** A line without marks. */
  readonly bare?: boolean;
}

export function legend(entries: readonly LegendEntry[]): Html {
  return html`<ul class="legend">${entries.map(
    ({ name, look, dashed, bare }) =>
      html`<li><svg class="${colourOf(look)}" width="26" height="12" aria-hidden="true"><path class="line${dashed === true && ' dashed'}" d="M1 6H25"/>${
        bare !== true && html`<path class="mark" transform="translate(13 6)" d="${markPath(look, 40)}"/>`
      }</svg>${name}</li>`,
  )}</ul>`;
}
