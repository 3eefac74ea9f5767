import { z } from 'zod';
import { experimentSchema } from './experiment.ts';

/** `configs/schema.json`: the schema of config files as JSON Schema draft-7, which editors understand. */
export function renderJsonSchema(): string {
  // VS Code's JSON language service reads these before it marks them as faults.
  const extended = { ...configSchema(), allowComments: true, allowTrailingCommas: true };
  return `${JSON.stringify(extended, null, 2)}\n`;
}

/** The schema of config files, with the unit of a number in its description. */
export function configSchema() {
  return z.toJSONSchema(experimentSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      // JSON Schema has no keyword for a unit, and editors show only the description.
      if (typeof jsonSchema.unit === 'string') {
        jsonSchema.description = `${jsonSchema.description} (${jsonSchema.unit})`;
        delete jsonSchema.unit;
      }
    },
  });
}
