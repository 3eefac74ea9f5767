import type { Address } from '../../pool/address.ts';

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
