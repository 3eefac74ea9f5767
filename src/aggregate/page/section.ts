import type { Content } from './html.ts';

/** A part of a page, with its entry in the list of contents. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly content: Content;
}

/** None where there is nothing to say. */
export function section(id: string, title: string, content: Content): Section[] {
  const isEmpty =
    content === null || content === false || (Array.isArray(content) && content.every(one => one === null));
  return isEmpty ? [] : [{ id, title, content }];
}
