import { isIP } from 'node:net';
import { basename } from 'node:path';
import { type Address, shownNode } from '../../pool/client/address.ts';

const schemes: Readonly<Record<string, { readonly tls: boolean }>> = {
  'redis:': { tls: false },
  'rediss:': { tls: true },
  'valkey:': { tls: false },
  'valkeys:': { tls: true },
};

/**
 * Reads a target's URL. Names and passwords are percent-decoded; the port is `defaultPort` unless given.
 * @throws Error whose message says what was expected, and never holds the URL, which may hold a password.
 */
export function parseAddress(url: string, defaultPort = 6379): Address {
  if (url.startsWith('unix:')) return parseUnix(url);
  const text = url.trim();
  const [, name = '', authority = '', rest = ''] = /^([^/]*)\/\/([^/?#]*)(.*)$/s.exec(text) ?? [];
  const scheme = schemes[name.toLowerCase()];
  if (scheme === undefined) {
    throw new Error(
      'expected a URL that starts with redis://, rediss:// (TLS), valkey://, valkeys:// (TLS) or unix://',
    );
  }
  if (rest.includes('@')) {
    throw new Error(
      'expected "/", "?" and "#" in a user name or password to be percent-encoded, as "%2F", "%3F" and "%23"',
    );
  }
  if (/\s/.test(text)) throw new Error('expected a URL without spaces; write a space in a password as "%20"');
  const [, place = '', port = ''] =
    /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(authority.slice(authority.lastIndexOf('@') + 1)) ?? [];
  if (port !== '' && !isPort(port)) throw new Error('expected a port from 1 to 65535');
  // What the URL parser still refuses is the host.
  const parsed = place !== '' && URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined) {
    throw new Error(
      'expected a host name or an IP address after "//", such as redis://localhost:6379 (with IPv6: redis://[::1]:6379)',
    );
  }
  if (parsed.search !== '' || parsed.hash !== '')
    throw new Error('expected nothing after the database index, neither "?" nor "#"');
  const bracketed = parsed.hostname.startsWith('[');
  const host = decode(bracketed ? parsed.hostname.slice(1, -1) : parsed.hostname);
  const { tls } = scheme;
  return {
    host,
    port: port === '' ? defaultPort : Number(port),
    tls,
    ...(tls && isIP(host) === 0 ? { servername: host } : {}),
    ...login(parsed.username, parsed.password),
    database: databaseIndex(parsed.pathname.replace(/^\//, '')),
  };
}

/**
 * The URL that a place without a scheme, with another one, or with a mistake in its punctuation stands for:
 * "127.0.0.1:7711", "my-host:6379/1", "redis//my-host", "http://my-host:6379", "unix:/run/redis.sock"; undefined for other
 * words, and if that URL could not be read either.
 */
export function urlMeant(word: string): string | undefined {
  const meant = withScheme(word);
  return meant !== undefined && isReadable(meant) ? meant : undefined;
}

function isReadable(url: string): boolean {
  try {
    parseAddress(url);
    return true;
  } catch {
    return false;
  }
}

function withScheme(word: string): string | undefined {
  if (isIP(word) === 6) return `redis://[${word}]`;
  const hasPort = /^(?:\[[\da-f:]+\]|[a-z\d][a-z\d.-]*):\d{1,5}(?:\/\d+)?$/i.test(word);
  if (hasPort || isIP(word) === 4 || word === 'localhost') return `redis://${word}`;
  const [, socket] = /^unix:\/{1,2}([^/@:][^@]*)$/i.exec(word) ?? [];
  if (socket !== undefined) return `unix:///${socket}`;
  // "redis//night.json" is a file of the folder redis.
  if (word.endsWith('.json')) return undefined;
  const [, own = 'redis', rest] =
    /^(?:((?:redis|valkey)s?)(?::\/?|\/\/)|(?:tcp|https?):\/\/)([^/@:\s]+(?::\d{1,5})?(?:\/\d+)?)\/?$/i.exec(
      word,
    ) ?? [];
  return rest === undefined ? undefined : `${own}://${rest}`;
}

/** The URL for display: without a password. Also works for invalid URLs. */
export function withoutPassword(url: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(url) ?? [];
  const unix = scheme.toLowerCase() === 'unix://';
  const shown = unix ? rest : rest.replace(/[?#].*$/s, '');
  const end = unix ? endOfUnixLogin(shown) : rest.lastIndexOf('@');
  if (end < 0) return scheme + shown;
  const user = rest.slice(0, end).split(':', 1)[0] ?? '';
  return `${scheme}${user === '' ? '' : `${user}@`}${rest.slice(end + 1)}`;
}

/** Where the login of a unix:// URL ends: at an "@" before the path, or at the last one if there is no path. -1 without a login. */
function endOfUnixLogin(rest: string): number {
  if (rest.startsWith('/')) return -1;
  const beforePath = rest.lastIndexOf('@/');
  return beforePath < 0 ? rest.lastIndexOf('@') : beforePath;
}

/**
 * Foreign text for display: without the password of the address. Servers that do not know a command repeat its
 * arguments, and cut them, so those go as a whole.
 */
export function withoutSecrets(text: string, { username, password, sentinel }: Address): string {
  const clean = sentinel?.password === undefined ? text : text.replaceAll(sentinel.password, '***');
  if (password === undefined) return clean;
  return clean
    .replace(/(with args beginning with:).*$/s, '$1 ***')
    .replaceAll(`${username ?? ''}:${password}`, '***')
    .replaceAll(password, '***');
}

/** `host:port`, or the path of the unix socket. */
export function shownAddress(address: Address): string {
  return address.path ?? shownNode(address);
}

/** A file name for what the URL names, of at most 64 letters, digits, ".", "_" and "-". "url" if it cannot be read. */
export function nameOfUrl(url: string): string {
  let address: Address;
  try {
    address = parseAddress(url);
  } catch {
    return 'url';
  }
  const where = address.path === undefined ? shownAddress(address) : basename(address.path);
  return where.replace(/[^\w.-]+/g, '-').slice(0, 64);
}

function parseUnix(url: string): Address {
  const match = /^unix:\/\/(?:([^@/:]*)(?::([^@/]*))?@)?(\/[^?#]+)(?:\?db=(\w+))?$/.exec(url);
  if (match === null)
    throw new Error(`expected a URL like unix:///path/to.sock or unix:///path/to.sock?db=1`);
  const [, username = '', password = '', path = '', database = ''] = match;
  return {
    host: 'localhost',
    port: 0,
    path: decode(path),
    tls: false,
    ...login(username, password),
    database: databaseIndex(database),
  };
}

function login(username: string, password: string): Pick<Address, 'username' | 'password'> {
  return {
    ...(username === '' ? {} : { username: decode(username) }),
    ...(password === '' ? {} : { password: decode(password) }),
  };
}

const isPort = (text: string) => /^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

function databaseIndex(text: string): number {
  if (!/^\d{0,9}$/.test(text))
    throw new Error('expected the database index after "/" to be a whole number from 0');
  return Number(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Error(
      'expected "%" in the URL to start a percent-encoded character; write a plain "%" as "%25"',
    );
  }
}
