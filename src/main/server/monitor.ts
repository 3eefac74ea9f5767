import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Address, authArguments, socketPlace, tlsOptions } from '../../pool/client/address.ts';
import { PoolbenchError } from '../errors.ts';
import { connectError } from './connect-error.ts';
import { shownAddress, withoutSecrets } from './url.ts';

/** The limits of a recording; it ends at the first one that it reaches. */
export interface RecordLimits {
  readonly seconds: number;
  readonly commands: number;
  readonly bytes: number;
}

/** The output of MONITOR. */
export interface Monitored {
  /** Whole lines as the server sent them; each character is one byte. */
  readonly text: string;
  /** `closed`: the server closed the connection. */
  readonly endedBy: keyof RecordLimits | 'interrupt' | 'closed';
}

/** Max time until the server answers MONITOR. */
const timeoutMs = 5000;
const LF = 0x0a;

/**
 * Records a server's commands with MONITOR on a separate connection. Nothing is parsed during the recording, because
 * unread output fills the server's memory.
 *
 * @param signal ends the recording before its limits
 * @throws PoolbenchError TARGET_UNREACHABLE, TARGET_REFUSED_LOGIN; TARGET_NOT_AVAILABLE if the server refuses MONITOR;
 * TARGET_LOST if it closes the connection before it answers
 */
export function recordMonitor(
  address: Address,
  limits: RecordLimits,
  signal: AbortSignal,
): Promise<Monitored> {
  const login = authArguments(address);
  const requests = [...(login.length === 0 ? [] : [['AUTH', ...login]]), ['MONITOR']];
  return new Promise((resolve, reject) => {
    const place = socketPlace(address);
    const socket = address.tls ? connectTls({ ...place, ...tlsOptions(address) }) : connect(place);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let lines = 0;
    let begun = false;
    let isOver = false;
    /** Settles once, because the closing of the socket is reported, too. */
    const end = (settle: () => void) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', interrupt);
      socket.destroy();
      settle();
    };
    const finish = (endedBy: Monitored['endedBy']) =>
      end(() => {
        const text = linesBehind(Buffer.concat(chunks).toString('latin1'), requests.length);
        resolve({ text, endedBy });
      });
    const fail = (error: PoolbenchError) => end(() => reject(error));
    const interrupt = () => finish('interrupt');
    let timer = setTimeout(() => socket.destroy(new Error('no answer to MONITOR')), timeoutMs);
    signal.addEventListener('abort', interrupt, { once: true });
    if (signal.aborted) return interrupt();
    socket.once(address.tls ? 'secureConnect' : 'connect', () => {
      socket.write(requests.map(encode).join(''));
    });
    socket.once('error', error => {
      if (begun) finish('closed');
      else end(() => connectError(error, address, timeoutMs).then(reject, reject));
    });
    socket.once('close', () => {
      if (begun) return finish('closed');
      const where = shownAddress(address);
      fail(
        new PoolbenchError(
          'TARGET_LOST',
          `expected ${where} to answer MONITOR, but it closed the connection`,
        ),
      );
    });
    socket.on('data', chunk => {
      chunks.push(chunk);
      bytes += chunk.length;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, at + 1)) lines++;
      if (!begun) {
        // A command begins with "+", like the reply OK.
        const refusal = /^-(.*?)\r?$/m.exec(Buffer.concat(chunks).toString('latin1'))?.[1];
        if (refusal !== undefined) return fail(refused(refusal, address));
        if (lines < requests.length) return;
        begun = true;
        clearTimeout(timer);
        timer = setTimeout(() => finish('seconds'), limits.seconds * 1000);
      }
      if (lines - requests.length >= limits.commands) finish('commands');
      else if (bytes >= limits.bytes) finish('bytes');
    });
  });
}

function refused(message: string, address: Address): PoolbenchError {
  return new PoolbenchError(
    'TARGET_NOT_AVAILABLE',
    `expected ${shownAddress(address)} to accept MONITOR, but it refuses: ${withoutSecrets(message, address)}; ` +
      'log in as a user who may run MONITOR, or save the output of redis-cli MONITOR to a file and use the file instead of the URL',
  );
}

/** The text after this many lines, without an incomplete last line. */
function linesBehind(text: string, replies: number): string {
  let from = 0;
  for (let line = 0; line < replies; line++) from = text.indexOf('\n', from) + 1;
  return text.slice(from, text.lastIndexOf('\n') + 1);
}

function encode(words: readonly string[]): string {
  const parts = words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}
