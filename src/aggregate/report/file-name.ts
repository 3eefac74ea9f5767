/** The file that a report asks its reader to save the config in; no command takes it for an option. */
export function fileName(name: string): string {
  return `${name.replace(/[^\w.-]+/g, '-').replace(/^-+/, '') || 'experiment'}.json`;
}
