import { isIP } from 'node:net';
import type { Address } from '../../pool/client/address.ts';
import { ErrorReply } from '../../pool/client/resp-values.ts';
import { PoolbenchError } from '../errors.ts';
import { rawProbe } from './raw-probe.ts';
import { explainTlsError } from './tls.ts';
import { shownAddress, withoutSecrets } from './url.ts';

/**
 * Turns whatever a connection attempt ended with into one message. Where the cause alone does not tell (a handshake
 * that hangs, a connection closed without a word), it asks the server's socket what it speaks.
 */
export async function connectError(
  cause: unknown,
  address: Address,
  timeoutMs: number,
): Promise<PoolbenchError> {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const where = shownAddress(address);
  const said = withoutSecrets(error.message, address);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'NO_MASTER') return noMaster(said, error);
  const reply = refusal(error.message, address, where);
  if (reply !== undefined) return reply;

  const unreachable = (message: string): PoolbenchError =>
    new PoolbenchError('TARGET_UNREACHABLE', message, { cause: error });
  switch (code) {
    case 'ECONNREFUSED':
      return unreachable(
        `expected a server at ${where}, but nothing listens there (connection refused); start it, or correct the URL`,
      );
    case 'ENOENT':
      return unreachable(
        `expected a server's unix socket at ${where}, but there is no such file; start it, or correct the path`,
      );
    case 'EACCES':
    case 'EPERM':
      return unreachable(`expected to be let in at ${where}, but this user may not connect (${code})`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return unreachable(
        `expected a server at ${where}, but the host name ${address.host} cannot be resolved (${code}); correct the URL, or the name service`,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return unreachable(
        `expected a server at ${where}, but there is no way to that host (${code}); correct the URL, or the network`,
      );
  }
  const tls = address.tls ? explainTlsError(code, address, where, said) : undefined;
  if (tls !== undefined) return unreachable(tls);
  const other = await otherProtocol(address, where, error);
  if (other !== undefined) return other;
  if (code === 'ETIMEDOUT') {
    return unreachable(
      `expected an answer from ${where}, but none came within ${timeoutMs} ms; is the host up, and its port not filtered?`,
    );
  }
  // The words of ioredis's decoder.
  const isOther = error.message.startsWith('Unknown RESP type');
  return unreachable(
    `expected a Redis-protocol server at ${where}, but ${
      isOther
        ? 'what answers there does not speak the Redis protocol; correct the port'
        : `the connection failed: ${said || code}`
    }`,
  );
}

/** The Sentinels' reasons stand in its words, each with its place. */
function noMaster(said: string, cause: Error): PoolbenchError {
  const login = /NOAUTH|WRONGPASS|without any password|invalid password/.test(said);
  const tls = /\((CERT_|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|ERR_TLS|ERR_SSL)/.test(said);
  const advice = login
    ? "correct target.sentinel.username and target.sentinel.password (the URL's login is the master's)"
    : tls
      ? 'correct target.tls, which is for Sentinels, too'
      : 'start one, or correct target.url, target.sentinel.master or target.sentinel.others';
  return new PoolbenchError(
    login ? 'TARGET_REFUSED_LOGIN' : 'TARGET_UNREACHABLE',
    `expected a Sentinel to tell where the master is: ${said}; ${advice}`,
    { cause },
  );
}

/** Error replies a server gives to a login. */
function refusal(message: string, address: Address, where: string): PoolbenchError | undefined {
  const said = withoutSecrets(message, address);
  const refused = (text: string): PoolbenchError => new PoolbenchError('TARGET_REFUSED_LOGIN', text);
  if (/^NOAUTH|^ERR operation not permitted|^-?DENIED/.test(message)) {
    return refused(
      `the server at ${where} wants a password, but the URL holds none; write it as redis://user:password@host or redis://:password@host`,
    );
  }
  if (/^WRONGPASS|^ERR invalid password/.test(message)) {
    const who =
      address.username === undefined ? 'the password' : `the password of user "${address.username}"`;
    return refused(
      `the server at ${where} refused ${who} (${message.split(' ', 1)[0]}); correct the URL, percent-encoding "@", ":", "/" and "#"`,
    );
  }
  if (/without any password configured|no password is set/.test(message)) {
    return refused(
      `the server at ${where} has no password, but the URL holds one; take it out of the URL, or set it on the server`,
    );
  }
  if (message.startsWith('NOPERM')) {
    return refused(
      `the server at ${where} does not let this user work: ${said}; grant its ACL these commands`,
    );
  }
  if (/DB index is out of range|invalid DB index|SELECT is not allowed/i.test(message)) {
    return new PoolbenchError(
      'TARGET_UNREACHABLE',
      `expected database ${address.database} at ${where}, but the server has none of that index (${said}); use /0, or raise its "databases" setting`,
    );
  }
  if (/max number of clients/i.test(message)) {
    return new PoolbenchError(
      'TARGET_TOO_SMALL',
      `the server at ${where} has as many clients as it admits (${said}); close some, or raise its maxclients`,
    );
  }
  if (message.startsWith('LOADING')) {
    return new PoolbenchError(
      'TARGET_UNREACHABLE',
      `the server at ${where} is still loading its data; try again when it has finished`,
    );
  }
  return undefined;
}

async function otherProtocol(
  address: Address,
  where: string,
  cause: Error,
): Promise<PoolbenchError | undefined> {
  const timeoutMs = 1000;
  const { replies: unasked } = await rawProbe(address, { tls: address.tls, maxReplies: 1, timeoutMs: 100 });
  const [greeting] = unasked;
  if (greeting instanceof ErrorReply) {
    const { message } = greeting;
    return (
      refusal(message, address, where) ??
      new PoolbenchError(
        'TARGET_UNREACHABLE',
        `the server at ${where} turned the connection away: ${withoutSecrets(message, address)}`,
      )
    );
  }
  const tls = !address.tls;
  const other = await rawProbe(address, { request: 'PING\r\n', tls, maxReplies: 1, timeoutMs });
  const host = isIP(address.host) === 6 ? `[${address.host}]` : address.host;
  if (tls && other.connected) {
    return new PoolbenchError(
      'TARGET_UNREACHABLE',
      `expected a plain connection at ${where}, but the server there speaks TLS; use rediss://${host}:${address.port}`,
      { cause },
    );
  }
  if (!tls && other.replies.length > 0) {
    return new PoolbenchError(
      'TARGET_UNREACHABLE',
      `expected TLS at ${where}, but the server there speaks plain Redis protocol; use redis://${host}:${address.port}`,
      { cause },
    );
  }
  return undefined;
}
