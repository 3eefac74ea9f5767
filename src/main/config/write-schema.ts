import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { renderJsonSchema } from './json-schema.ts';

/** `npm run schema`: writes configs/schema.json anew. */
const path = fileURLToPath(new URL('../../../configs/schema.json', import.meta.url));
await writeFile(path, renderJsonSchema());
console.log('Wrote configs/schema.json');
