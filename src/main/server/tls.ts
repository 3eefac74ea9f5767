import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Address, Trust } from '../../pool/client/address.ts';

/** The keys of `target.tls`, with paths that this process can open. */
export interface TlsKeys {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly servername: string | null;
  readonly rejectUnauthorized: boolean;
}

/** A file that cannot be used, by the key of `target.tls` that names it. */
export interface TlsFault {
  readonly key: 'ca' | 'cert' | 'key';
  readonly text: string;
}

const endOfCertificate = /(?<=-----END CERTIFICATE-----)/;

/**
 * Reads the PEM files that TLS is to use, and looks at what is in them: a wrong file would else be told by OpenSSL, at
 * the first connect.
 *
 * @returns what they hold, and a fault for each that is missing or wrong, with path, expected and found
 */
export async function readTrust(tls: TlsKeys): Promise<{ trust: Trust; faults: TlsFault[] }> {
  const faults: TlsFault[] = [];
  const read = async <T>(
    name: TlsFault['key'],
    expected: string,
    parse: (pem: string) => T,
  ): Promise<{ pem: string; parsed: T } | undefined> => {
    const path = tls[name];
    if (path === null) return undefined;
    const fault = (found: string): undefined => {
      faults.push({ key: name, text: `target.tls.${name}: expected ${expected}, found ${found}: ${path}` });
    };
    let pem: string;
    try {
      pem = await readFile(path, 'utf8');
    } catch (error) {
      return fault(unreadable(error));
    }
    try {
      return { pem, parsed: parse(pem) };
    } catch (error) {
      return fault(contentOf(pem, error));
    }
  };

  const ca = await read('ca', "a PEM file with an authority's certificates", parseCertificates);
  const cert = await read('cert', 'a PEM file with our certificate', parseCertificates);
  const key = await read('key', 'a PEM file with the private key of target.tls.cert', parseKey);
  if (cert !== undefined && key !== undefined && !cert.parsed.checkPrivateKey(key.parsed)) {
    faults.push({
      key: 'key',
      text: `target.tls.key: expected the private key of target.tls.cert, found that of another certificate: ${tls.key}`,
    });
  }
  const trust = {
    ...(ca === undefined ? {} : { ca: ca.pem }),
    ...(cert === undefined ? {} : { cert: cert.pem }),
    ...(key === undefined ? {} : { key: key.pem }),
    ...(tls.servername === null ? {} : { servername: tls.servername }),
    ...(tls.rejectUnauthorized ? {} : { rejectUnauthorized: false }),
  };
  return { trust, faults };
}

/** @returns the first of them, which is our own where there is a chain */
function parseCertificates(pem: string): X509Certificate {
  const [first, ...others] = pem.split(endOfCertificate).filter(part => part.includes('-----BEGIN'));
  const certificate = new X509Certificate(first ?? pem);
  for (const other of others) if (other.includes('BEGIN CERTIFICATE')) new X509Certificate(other);
  return certificate;
}

function parseKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}

function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'no such file';
    case 'EISDIR':
      return 'a folder';
    case 'EACCES':
      return 'one that this user may not read';
    default:
      return `one that cannot be read (${code})`;
  }
}

/** What a file holds instead, without any of it. */
function contentOf(pem: string, error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_MISSING_PASSPHRASE') {
    return 'a key with a passphrase, which cannot be given';
  }
  const [, label] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem) ?? [];
  return label === undefined ? 'no PEM text in it' : `a "${label}" that cannot be used for it`;
}

/**
 * What a failed TLS handshake means and what to do about it; undefined where the code is none of TLS.
 *
 * @param code of Node's error: OpenSSL's name of what is wrong with the server's certificate, or of its alert about ours
 * @param where the server, for a reader
 * @param said the error's own words, where they are not those of OpenSSL's source
 */
export function explainTlsError(
  code: string,
  address: Address,
  where: string,
  said: string,
): string | undefined {
  const trusted = (found: string, advice: string) =>
    `expected a trusted certificate at ${where}, but found ${found} (${code}); ${advice}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return trusted('one that has expired', 'renew it on the server');
    case 'CERT_NOT_YET_VALID':
      return trusted('one that is not valid yet', 'renew it on the server, or set the clock');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return trusted(
        `one of another name: ${said}`,
        'use the host name that it holds, or set target.tls.servername to it',
      );
  }
  if (/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code)) {
    return trusted(
      `one of an unknown authority: ${said}`,
      address.trust?.ca === undefined
        ? 'set target.tls.ca to the file of the CA that signed it'
        : 'the CA of target.tls.ca has not signed it',
    );
  }
  const own = (expected: string, advice: string) =>
    `expected the server at ${where} to take ${expected} (${code}); ${advice}`;
  const ours = address.trust?.cert !== undefined;
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/.test(code) && !ours) {
    return own(
      'us without a certificate, but it wants one',
      'set target.tls.cert and target.tls.key, or let the server do without (redis-server --tls-auth-clients no)',
    );
  }
  if (/ALERT_(UNKNOWN_CA|(\w+_)?CERTIFICATE(_\w+)?|DECRYPT_ERROR)$/.test(code)) {
    return own(
      'our certificate (target.tls.cert), but it does not',
      'use one that has not expired and that a CA has signed which the server trusts',
    );
  }
  return undefined;
}
