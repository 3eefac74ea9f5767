import { isIP } from 'node:net';
import { z } from 'zod';
import { section } from '../../aggregate/schema-parts.ts';

const file = (what: string) => {
  const error = `the path of a PEM file with ${what}`;
  return z.string({ error }).min(1, { error }).nullable().default(null);
};

const hostName = 'a host name; an IP address is checked without being set here';

/** The keys of `target.tls`: what a TLS connection believes and shows. Paths are relative to the config's folder. */
export const tls = section({
  ca: file('certificates').meta({
    description:
      "PEM file, relative to this one, with the certificates of the authorities that are believed; none: the system's",
  }),
  cert: file('our certificate').meta({
    description: 'PEM file with our own certificate, for a server that wants one',
  }),
  key: file('the private key of target.tls.cert').meta({
    description: 'PEM file with the private key of that certificate',
  }),
  servername: z
    .string({ error: hostName })
    .refine(name => name !== '' && isIP(name) === 0, { error: hostName })
    .nullable()
    .default(null)
    .meta({
      description:
        'The name that is asked for and that the certificate must hold, where it is not the host of the URL',
    }),
  rejectUnauthorized: z
    .boolean({ error: 'true or false' })
    .default(true)
    .meta({ description: "False: the server's certificate is not checked at all, and every output says so" }),
}).meta({ description: 'What TLS believes and shows; only with rediss://' });
