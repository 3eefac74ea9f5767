import { safeName } from '../text/safe-name.ts';

/** The file that a report asks its reader to save the config in; no command takes it for an option. */
export function fileName(name: string): string {
  return `${safeName(name).replace(/^-+/, '') || 'experiment'}.json`;
}
