import type { Address } from '../../pool/client/address.ts';
import { shownNode } from '../../pool/client/address.ts';
import { ErrorReply } from '../../pool/client/resp-values.ts';
import { asError, asShortage, type ErrorCode, PoolbenchError } from '../errors.ts';
import { rawProbe } from './raw-probe.ts';
import { shownAddress, withoutSecrets } from './url.ts';

/** What a message can contain: the error's own text without secrets, and the address of the server. */
interface Failure {
  readonly code: string;
  readonly said: string;
  readonly where: string;
  readonly address: Address;
}

/**
 * Turns any failure of a connection attempt into one message. If the cause alone is not enough (a handshake that hangs,
 * a connection closed without an answer), it probes which protocol the server's socket speaks.
 */
export async function connectError(
  cause: unknown,
  address: Address,
  timeoutMs: number,
): Promise<PoolbenchError> {
  const shortage = asShortage(cause);
  if (shortage !== undefined) return shortage;
  const error = asError(cause);
  const where = shownAddress(address);
  const said = withoutSecrets(error.message, address);
  const code = 'code' in error ? String(error.code) : '';
  const failure = { code, said, where, address };
  if (code === 'NO_MASTER') return noMaster(said, error);
  const refusal = describeRefusal(error.message, failure);
  if (refusal !== undefined) return refusal;

  const unreachable = (message: string): PoolbenchError =>
    new PoolbenchError('TARGET_UNREACHABLE', message, { cause: error });
  const described = systemErrors[code]?.(failure) ?? (address.tls ? describeTlsError(failure) : undefined);
  if (described !== undefined) return unreachable(described);
  const other = await describeOtherProtocol(failure);
  if (other instanceof PoolbenchError) return other;
  if (other !== undefined) return unreachable(other);
  if (code === 'ETIMEDOUT') {
    return unreachable(
      `expected an answer from ${where}, but none came within ${timeoutMs} ms; is the host up, and is its port open?`,
    );
  }
  // The wording of ioredis's decoder.
  const isOther = error.message.startsWith('Unknown RESP type');
  const found = isOther
    ? 'it does not speak the Redis protocol; correct the port'
    : `the connection failed: ${said || code}`;
  return unreachable(`expected a Redis-protocol server at ${where}, but ${found}`);
}

/** What the system's error codes mean. */
const systemErrors: Readonly<Record<string, (failure: Failure) => string>> = {
  ECONNREFUSED: ({ where }) =>
    `expected a server at ${where}, but nothing listens there (connection refused); start it, or correct the URL`,
  ENOENT: ({ where }) =>
    `expected a server's unix socket at ${where}, but there is no such file; start it, or correct the path`,
  EACCES: notPermitted,
  EPERM: notPermitted,
  ENOTFOUND: unknownHost,
  EAI_AGAIN: unknownHost,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  EADDRNOTAVAIL: noRoute,
};

function notPermitted({ code, where }: Failure): string {
  return `expected access to ${where}, but this user may not connect there (${code})`;
}

function unknownHost({ code, where, address }: Failure): string {
  return `expected a server at ${where}, but the host name ${address.host} cannot be resolved (${code}); correct the URL, or the name service`;
}

function noRoute({ code, where }: Failure): string {
  return `expected a server at ${where}, but there is no route to that host (${code}); correct the URL, or the network`;
}

/** The message holds the reason of each Sentinel. */
function noMaster(said: string, cause: Error): PoolbenchError {
  const login = /NOAUTH|WRONGPASS|without any password|invalid password/.test(said);
  const tls = /\((CERT_|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|ERR_TLS|ERR_SSL)/.test(said);
  const advice = login
    ? "correct target.sentinel.username and target.sentinel.password (the URL's login is the master's)"
    : tls
      ? 'correct target.tls, which also applies to Sentinels'
      : 'start one, or correct target.url, target.sentinel.master or target.sentinel.others';
  return new PoolbenchError(
    login ? 'TARGET_REFUSED_LOGIN' : 'TARGET_UNREACHABLE',
    `expected a Sentinel to name the master: ${said}; ${advice}`,
    { cause },
  );
}

/** Error replies to a login, and what each means. */
const refusals: readonly (readonly [RegExp, ErrorCode, (failure: Failure) => string])[] = [
  [
    /^NOAUTH|^ERR operation not permitted|^-?DENIED/,
    'TARGET_REFUSED_LOGIN',
    ({ where }) =>
      `the server at ${where} requires a password, but the URL contains none; write it as redis://user:password@host or redis://:password@host`,
  ],
  [
    /^WRONGPASS|^ERR invalid password/,
    'TARGET_REFUSED_LOGIN',
    ({ said, where, address: { username } }) => {
      const refused = username === undefined ? 'the password' : `the password of user "${username}"`;
      return `the server at ${where} refused ${refused} (${said.split(' ', 1)[0]}); correct the URL, percent-encoding "@", ":", "/" and "#"`;
    },
  ],
  [
    /without any password configured|no password is set/,
    'TARGET_REFUSED_LOGIN',
    ({ where }) =>
      `the server at ${where} has no password, but the URL contains one; remove it from the URL, or set it on the server`,
  ],
  [
    /^NOPERM/,
    'TARGET_REFUSED_LOGIN',
    ({ said, where }) =>
      `the server at ${where} denies this user the commands that poolbench needs: ${said}; grant them in its ACL`,
  ],
  [
    /DB index is out of range|invalid DB index|SELECT is not allowed/i,
    'TARGET_UNREACHABLE',
    ({ said, where, address }) =>
      `expected database ${address.database} at ${where}, but the server has no database with that index (${said}); use /0, or raise its "databases" setting`,
  ],
  [
    /max number of clients/i,
    'TARGET_TOO_SMALL',
    ({ said, where }) =>
      `the server at ${where} has reached its client limit (${said}); close some, or raise its maxclients`,
  ],
  [
    /^LOADING/,
    'TARGET_UNREACHABLE',
    ({ where }) => `the server at ${where} is still loading its data; try again when it has finished`,
  ],
];

function describeRefusal(reply: string, failure: Failure): PoolbenchError | undefined {
  const [, code, describe] = refusals.find(([pattern]) => pattern.test(reply)) ?? [];
  return code === undefined || describe === undefined
    ? undefined
    : new PoolbenchError(code, describe(failure));
}

/**
 * What a failed TLS handshake means and what to do about it; undefined if it is no error of TLS. Node's error code is
 * OpenSSL's name for the fault of the server's certificate, or for the server's alert about the client's.
 */
function describeTlsError({ code, said, where, address: { trust } }: Failure): string | undefined {
  const trusted = (found: string, advice: string) =>
    `expected a trusted certificate at ${where}, but found ${found} (${code}); ${advice}`;
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return trusted('one that has expired', 'renew it on the server');
    case 'CERT_NOT_YET_VALID':
      return trusted('one that is not valid yet', 'renew it on the server, or set the clock');
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return trusted(
        `one for another name: ${said}`,
        'use the host name that it holds, or set target.tls.servername to it',
      );
  }
  if (/^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO)/.test(code)) {
    return trusted(
      `one from an unknown authority: ${said}`,
      trust?.ca === undefined
        ? 'set target.tls.ca to the file of the CA that signed it'
        : 'the CA of target.tls.ca has not signed it',
    );
  }
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/.test(code) && trust?.cert === undefined)
    return `expected the server at ${where} to accept a client without a certificate, but it requires one (${code}); set target.tls.cert and target.tls.key, or do not require one on the server (redis-server --tls-auth-clients no)`;
  if (/ALERT_(UNKNOWN_CA|(\w+_)?CERTIFICATE(_\w+)?|DECRYPT_ERROR)$/.test(code))
    return `expected the server at ${where} to accept the client certificate (target.tls.cert), but it does not (${code}); use one that has not expired and is signed by a CA that the server trusts`;
  return undefined;
}

/** Listens for a greeting, then tries TLS if the connection should be plain, and vice versa. */
async function describeOtherProtocol(failure: Failure): Promise<PoolbenchError | string | undefined> {
  const { address, where } = failure;
  const { replies: unasked } = await rawProbe(address, { tls: address.tls, maxReplies: 1, timeoutMs: 100 });
  const [greeting] = unasked;
  if (greeting instanceof ErrorReply) {
    const said = withoutSecrets(greeting.message, address);
    return (
      describeRefusal(greeting.message, { ...failure, said }) ??
      `the server at ${where} refused the connection: ${said}`
    );
  }
  const tls = !address.tls;
  const other = await rawProbe(address, { request: 'PING\r\n', tls, maxReplies: 1, timeoutMs: 1000 });
  if (tls && other.connected)
    return `expected a plain connection at ${where}, but the server there speaks TLS; use rediss://${shownNode(address)}`;
  if (!tls && other.replies.length > 0)
    return `expected TLS at ${where}, but the server there speaks plain Redis protocol; use redis://${shownNode(address)}`;
  return undefined;
}
