import { expect, test } from 'vitest';
import { renderMarkdown } from '../../../../src/aggregate/report/markdown.ts';
import { renderTerminal } from '../../../../src/aggregate/report/terminal.ts';
import { sampleDocuments } from '../../../support/sample-documents.ts';

/** With --update=all they are written anew: read the difference before it is committed. */
test.each(Object.entries(sampleDocuments))('%s', async (name, document) => {
  await expect(renderTerminal(document, false)).toMatchFileSnapshot(`golden/${name}.txt`);
  await expect(renderMarkdown(document)).toMatchFileSnapshot(`golden/${name}.md`);
});
