import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  parseAddress,
  shownAddress,
  urlMeant,
  withoutPassword,
  withoutSecrets,
} from '../../../src/main/server/url.ts';
import { anyText } from '../../support/any-text.ts';

test.each([
  ['redis://localhost', { host: 'localhost', port: 6379, tls: false, database: 0 }],
  ['valkey://localhost', { host: 'localhost', port: 6379, tls: false, database: 0 }],
  ['valkeys://10.0.0.1/1', { host: '10.0.0.1', port: 6379, tls: true, database: 1 }],
  ['redis://localhost:6382/0', { host: 'localhost', port: 6382, tls: false, database: 0 }],
  ['redis://10.0.0.1/15', { host: '10.0.0.1', port: 6379, tls: false, database: 15 }],
  [
    'rediss://db.example:6380/2',
    { host: 'db.example', servername: 'db.example', port: 6380, tls: true, database: 2 },
  ],
  ['rediss://10.0.0.1', { host: '10.0.0.1', port: 6379, tls: true, database: 0 }],
  ['redis://[::1]:7000/1', { host: '::1', port: 7000, tls: false, database: 1 }],
  [
    'redis://me:p%40ss%2F@h/',
    { host: 'h', port: 6379, tls: false, username: 'me', password: 'p@ss/', database: 0 },
  ],
  ['redis://:secret@h', { host: 'h', port: 6379, tls: false, password: 'secret', database: 0 }],
  [
    'unix:///run/redis.sock',
    { host: 'localhost', port: 0, path: '/run/redis.sock', tls: false, database: 0 },
  ],
  [
    'unix://me:s%3Acret@/run/a%20b.sock?db=3',
    {
      host: 'localhost',
      port: 0,
      path: '/run/a b.sock',
      tls: false,
      username: 'me',
      password: 's:cret',
      database: 3,
    },
  ],
])('%s is read', (url, address) => {
  expect(parseAddress(url)).toEqual(address);
});

test.each([
  ['', /starts with redis:\/\//],
  ['localhost:6379', /starts with redis:\/\//],
  ['http://localhost', /starts with redis:\/\//],
  ['redis//h', /starts with redis:\/\//],
  ['redis:/h', /starts with redis:\/\//],
  ['redis://', /expected a host name/],
  ['redis://:6379', /expected a host name/],
  ['redis:///1', /expected a host name/],
  ['redis://user:secret@:6379', /expected a host name/],
  ['redis://::1:6379', /expected a host name.*\[::1\]/],
  ['redis://a^b', /expected a host name/],
  ['redis://h:0', /port from 1 to 65535/],
  ['redis://h:70000', /port from 1 to 65535/],
  ['redis://h:port', /port from 1 to 65535/],
  ['redis://me:p@h:65536/1', /port from 1 to 65535/],
  ['redis://my host', /without spaces.*%20/],
  ['redis://:a b@h', /without spaces.*%20/],
  ['redis://:a/b@h', /percent-encoded.*%2F/],
  ['redis://:a#b@h', /percent-encoded.*%23/],
  ['redis://h/zero', /whole number from 0/],
  ['redis://h/-1', /whole number from 0/],
  ['redis://h/0?x=1', /nothing after the database index/],
  ['redis://:50%@h', /percent-encoded/],
  ['unix://run/redis.sock', /unix:\/\/\/path/],
  ['unix:///run/redis.sock?db=x', /whole number from 0/],
])('%s is refused with what was expected', (url, message) => {
  expect(() => parseAddress(url)).toThrow(message);
});

test.each([
  ['127.0.0.1:7711', 'redis://127.0.0.1:7711'],
  ['my-host:6379/1', 'redis://my-host:6379/1'],
  ['redis:6379', 'redis://redis:6379'],
  ['localhost', 'redis://localhost'],
  ['::1', 'redis://[::1]'],
  ['redis//h', 'redis://h'],
  ['redis:/h:6379/0', 'redis://h:6379/0'],
  ['valkeys:h', 'valkeys://h'],
  ['http://h:6379/', 'redis://h:6379'],
  ['tcp://h', 'redis://h'],
  ['unix:/run/redis.sock', 'unix:///run/redis.sock'],
  ['unix://run/redis.sock', 'unix:///run/redis.sock'],
  ['configs/redis.json', undefined],
  ['redis.json', undefined],
  ['redis//night.json', undefined],
  ['redis//user:secret@h', undefined],
  ['http://user:secret@h', undefined],
  // None of these could be read with the scheme either.
  ['redis//h:70000', undefined],
  ['http://h:0', undefined],
  ['h:6379/1234567890', undefined],
  ['redis:/h?db=1', undefined],
  ['unix:/run/redis.sock?index=1', undefined],
])('%s is meant as %s', (word, meant) => {
  expect(urlMeant(word)).toBe(meant);
  if (meant !== undefined) expect(() => parseAddress(meant)).not.toThrow();
});

test('a password is not shown, however badly the URL is written', () => {
  expect(withoutPassword('redis://me:secret@h:1/0')).toBe('redis://me@h:1/0');
  expect(withoutPassword('redis://:secret@h')).toBe('redis://h');
  expect(withoutPassword('unix://me:secret@/run/a@b.sock')).toBe('unix://me@/run/a@b.sock');
  expect(withoutPassword('unix:///run/a@b.sock')).toBe('unix:///run/a@b.sock');
  expect(withoutPassword('unix://me:secret@run/redis.sock')).toBe('unix://me@run/redis.sock');
  expect(withoutPassword('unix://me:secret@h')).toBe('unix://me@h');
  expect(withoutPassword('redis://h:6379/1')).toBe('redis://h:6379/1');

  const raw = fc.string({ minLength: 1 }).map(text => `SECRET${text}SECRET`);
  fc.assert(
    fc.property(raw, fc.constantFrom('redis://', 'rediss://', ''), (password, scheme) => {
      const url = `${scheme}user:${password}@host:6379/0`;
      expect(withoutPassword(url)).not.toContain('SECRET');
      try {
        parseAddress(url);
      } catch (error) {
        expect(String(error)).not.toContain('SECRET');
      }
    }),
  );
});

test('every login that is percent-encoded comes back as it was', () => {
  fc.assert(
    fc.property(anyText(), anyText({ minLength: 1 }), (username, password) => {
      const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
      for (const url of [`redis://${login}@h`, `unix://${login}@/s`]) {
        expect(parseAddress(url)).toMatchObject({ ...(username === '' ? {} : { username }), password });
      }
    }),
  );
});

test('an address is shown as host and port, or as a path', () => {
  expect(shownAddress(parseAddress('redis://[::1]:7000'))).toBe('[::1]:7000');
  expect(shownAddress(parseAddress('redis://me:secret@h/3'))).toBe('h:6379');
  expect(shownAddress(parseAddress('unix:///run/s.sock'))).toBe('/run/s.sock');
});

test("a password is taken out of a server's words, however they repeat it", () => {
  const address = parseAddress('redis://me:hunter2@h');
  const said = (text: string) => withoutSecrets(text, address);
  expect(said('ERR no such user me:hunter2, or "hunter2" is wrong')).toBe(
    'ERR no such user ***, or "***" is wrong',
  );
  // Servers repeat 128 bytes of arguments: a long password is cut.
  const long = parseAddress(`redis://:${'p'.repeat(200)}@h`);
  const text = `ERR unknown command 'AUTH', with args beginning with: '${'p'.repeat(128)}' `;
  expect(withoutSecrets(text, long)).toBe("ERR unknown command 'AUTH', with args beginning with: ***");
  expect(withoutSecrets('ERR hunter2', parseAddress('redis://h'))).toBe('ERR hunter2');
});
