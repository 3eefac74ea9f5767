import { z } from 'zod';
import { declarable } from '../target/server-process.ts';
import { parseAddress } from '../target/url.ts';
import { oneOf, section, wholeNumber } from './schema-parts.ts';

const serverThreads = wholeNumber(1, 128);

/** The keys of `target`: what the server under test is, and where. */
export const target = section({
  server: oneOf(declarable).meta({
    description: 'The server that the experiment is about; any: whatever answers at the URL',
  }),
  url: z
    .string({ error: 'a URL such as "redis://localhost:6379/0"' })
    .check(({ value, issues }) => {
      try {
        parseAddress(value);
      } catch (error) {
        const expected = (error as Error).message.replace(/^expected /, '');
        issues.push({ code: 'custom', params: { expected }, input: value });
      }
    })
    .meta({
      description:
        'Where it is: redis://, rediss:// (TLS) or unix:///path; user:password@ and a database index as /0 are optional',
    }),
  threads: z
    .union([serverThreads, z.array(serverThreads)])
    .transform(value => [...new Set(Array.isArray(value) ? value : [value])])
    .prefault([])
    .meta({
      description:
        "Threads that the server serves clients with, where poolbench starts it; several are compared; none: the server's own default",
      unit: 'server threads',
    }),
}).meta({ description: 'The server under test' });
