import { withoutPassword } from './target/url.ts';

/**
 * Takes passwords in URLs off the command line that the system's list of processes shows. They were there for the moment
 * until now, and whatever started this process may go on showing them: a config is the place for a password.
 */
export function hidePasswords(args: readonly string[]): void {
  const shown = args.map(hidden);
  if (shown.every((word, index) => word === args[index])) return;
  process.title = ['poolbench', ...shown].join(' ');
}

/** A word without the password of the URL that it is or ends with, as in `--url=redis://…`. */
function hidden(word: string): string {
  const [, before = '', url] = /^(.*?)([a-z][a-z0-9+.-]*:\/\/.*)$/is.exec(word) ?? [];
  return url === undefined ? word : before + withoutPassword(url);
}
