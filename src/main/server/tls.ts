import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Trust } from '../../pool/client/address.ts';
import { foundInstead } from '../../workers/found-instead.ts';
import type { Experiment } from '../experiment/experiment.ts';

/** The keys of `target.tls`, with paths that this process can open. */
type TlsKeys = Experiment['target']['tls'];

/** A file that cannot be used, by the key of `target.tls` that names it. */
interface TlsFault {
  readonly key: 'ca' | 'cert' | 'key';
  readonly text: string;
}

const endOfCertificate = /(?<=-----END CERTIFICATE-----)/;

/**
 * Reads the PEM files that TLS is to use, and checks what is in them. Otherwise OpenSSL would report a wrong file, at the
 * first connection attempt.
 *
 * @returns what they hold, and a fault for each that is missing or wrong, with path, expected and found
 */
export async function readTrust(tls: TlsKeys): Promise<{ trust: Trust; faults: TlsFault[] }> {
  const faults: TlsFault[] = [];
  const add = (key: TlsFault['key'], expected: string, found: string): undefined => {
    faults.push({ key, text: `target.tls.${key}: expected ${expected}, found ${found}: ${tls[key]}` });
  };
  const read = async <T>(
    name: TlsFault['key'],
    expected: string,
    parse: (pem: string) => T,
  ): Promise<{ pem: string; parsed: T } | undefined> => {
    const path = tls[name];
    if (path === null) return undefined;
    let pem: string | undefined;
    try {
      pem = await readFile(path, 'utf8');
      return { pem, parsed: parse(pem) };
    } catch (error) {
      return add(name, expected, pem === undefined ? foundInstead(error) : contentOf(pem, error));
    }
  };

  const ca = await read('ca', "a PEM file with an authority's certificates", parseCertificates);
  const cert = await read('cert', 'a PEM file with the client certificate', parseCertificates);
  const key = await read('key', 'a PEM file with the private key of target.tls.cert', createPrivateKey);
  if (cert !== undefined && key !== undefined && !cert.parsed.checkPrivateKey(key.parsed))
    add('key', 'the private key of target.tls.cert', 'that of another certificate');
  const trust = {
    ...(ca === undefined ? {} : { ca: ca.pem }),
    ...(cert === undefined ? {} : { cert: cert.pem }),
    ...(key === undefined ? {} : { key: key.pem }),
    ...(tls.servername === null ? {} : { servername: tls.servername }),
    ...(tls.rejectUnauthorized ? {} : { rejectUnauthorized: false }),
  };
  return { trust, faults };
}

/** @returns the first of them, which is our own if there is a chain */
function parseCertificates(pem: string): X509Certificate {
  const [first, ...others] = pem.split(endOfCertificate).filter(part => part.includes('-----BEGIN'));
  const certificate = new X509Certificate(first ?? pem);
  for (const other of others) if (other.includes('BEGIN CERTIFICATE')) new X509Certificate(other);
  return certificate;
}

/** What a file holds instead, without any of it. */
function contentOf(pem: string, error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE') {
    return 'a key with a passphrase, which is not supported';
  }
  const [, label] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem) ?? [];
  return label === undefined ? 'no PEM text in it' : `a "${label}" that cannot be used for it`;
}
