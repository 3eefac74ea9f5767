import { writeFileSync } from 'node:fs';
import { renderJsonSchema } from '../experiment/json-schema.ts';

/** `npm run schema`: writes `configs/schema.json` again after a change of a config key. */

writeFileSync(new URL('../../../configs/schema.json', import.meta.url), renderJsonSchema());
console.log('Wrote configs/schema.json');
