import { z } from 'zod';
import { section } from '../../aggregate/schema-parts.ts';
import { parseAddress } from '../target/url.ts';

const place = 'host:port of a Sentinel, such as "10.0.0.2:26379"';
const text = (error: string) => z.string({ error }).min(1, { error }).nullable().default(null);

/** The keys of `target.sentinel`: which master, and how to ask for it. */
export const sentinel = section({
  master: text('the name by which the Sentinels know the master, such as "mymaster"').meta({
    description:
      'Name of the master; target.url is then the place of a Sentinel, with the login and the database of the master',
  }),
  others: z
    .array(z.string({ error: place }).refine(isPlace, { error: place }), {
      error: 'a list of further Sentinels',
    })
    .default([])
    .meta({ description: 'Further Sentinels, asked in turn where the one in the URL does not tell' }),
  username: text("a name of the Sentinels' own").meta({
    description: "User of the Sentinels' own login, where they have one",
  }),
  password: text("the Sentinels' own password").meta({
    description: "The Sentinels' own password, which need not be the master's; it is not in the results",
  }),
}).meta({ description: 'Finds the target through Sentinels, again at every connect' });

function isPlace(value: string): boolean {
  if (!/^[^@/?#\s]+$/.test(value)) return false;
  try {
    parseAddress(`redis://${value}`);
    return true;
  } catch {
    return false;
  }
}
