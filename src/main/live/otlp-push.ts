import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { toOneLine } from '../../aggregate/text/format.ts';
import { asError, PoolbenchError } from '../errors.ts';
import { renderOtlp } from './otlp.ts';
import type { RunMetrics } from './run-metrics.ts';

const intervalMs = 10_000;
const usualTimeoutMs = 5000;
/** No more of a reply is read, and no more of its message is shown. */
const maxReplyLength = 64 * 1024;
const maxMessageLength = 200;

interface PushOptions {
  /** Receives failures, as warnings. */
  readonly warn: (text: string) => void;
  /** Time limit of a push: the end of a run waits this long for a silent receiver. */
  readonly timeoutMs?: number;
}

/**
 * Pushes the metrics of a run to a receiver of the OpenTelemetry protocol (OTLP/HTTP, JSON): while it lasts, and once
 * more at its end. A push that fails is a warning. The next one has the same metrics with their values at that time.
 */
export class OtlpPush {
  readonly #url: URL;
  readonly #headers: Headers;
  readonly #metrics: RunMetrics;
  readonly #warn: PushOptions['warn'];
  readonly #timeoutMs: number;
  readonly #instance = randomUUID();
  readonly #startedMs = Date.now();
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #isPushing = false;
  #hasWarned = false;

  /**
   * @param endpoint as it was typed: the base of the receiver's URLs
   * @throws PoolbenchError USAGE
   */
  constructor(endpoint: string, metrics: RunMetrics, { warn, timeoutMs = usualTimeoutMs }: PushOptions) {
    this.#url = parseEndpoint(endpoint);
    this.#headers = parseHeaders(process.env.OTEL_EXPORTER_OTLP_HEADERS ?? '');
    this.#metrics = metrics;
    this.#warn = warn;
    this.#timeoutMs = timeoutMs;
    // The first one, before any load, shows at once whether the receiver is available.
    void this.#pushLive();
    this.#timer = setInterval(() => void this.#pushLive(), intervalMs).unref();
  }

  /** Pushes a last time. It never rejects, and takes no longer than one push may. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort();
    const failure = await this.#push(AbortSignal.timeout(this.#timeoutMs));
    if (failure !== null)
      this.#warn(
        `warning: the last metrics were not pushed to ${this.#place} (--otlp): ${failure}; results are not affected`,
      );
  }

  async #pushLive(): Promise<void> {
    // The receiver is slower than the interval.
    if (this.#isPushing) return;
    this.#isPushing = true;
    const failure = await this.#push(
      AbortSignal.any([this.#ended.signal, AbortSignal.timeout(this.#timeoutMs)]),
    );
    this.#isPushing = false;
    const isNew = !this.#hasWarned;
    this.#hasWarned = failure !== null;
    if (failure === null || !isNew || this.#ended.signal.aborted) return;
    this.#warn(
      `warning: metrics were not pushed to ${this.#place} (--otlp): ${failure}; poolbench tries again every ${intervalMs / 1000} s`,
    );
  }

  /** Without a query, which may hold a key. */
  get #place(): string {
    return `${this.#url.origin}${this.#url.pathname}`;
  }

  /** @returns why the receiver did not accept all metrics; null if it did */
  async #push(signal: AbortSignal): Promise<string | null> {
    try {
      const response = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: renderOtlp(this.#metrics.now(), {
          tool: this.#metrics.tool,
          instance: this.#instance,
          startedMs: this.#startedMs,
          nowMs: Date.now(),
        }),
        // The headers may hold a key, which is for this receiver alone.
        redirect: 'manual',
        signal,
      });
      return whyNotTaken(response.status, await readStart(response));
    } catch (error) {
      const { name, message, cause } = asError(error);
      if (name === 'TimeoutError') return `it did not answer within ${this.#timeoutMs / 1000} s`;
      // Of fetch the message is always the same.
      const { message: why, code }: NodeJS.ErrnoException =
        cause instanceof Error ? cause : { name, message };
      return why || String(code);
    }
  }
}

/**
 * The URL to which metrics are posted, below the one that was typed, as the specification says for
 * OTEL_EXPORTER_OTLP_ENDPOINT.
 *
 * @throws PoolbenchError USAGE
 */
export function parseEndpoint(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new PoolbenchError(
      'USAGE',
      `expected --otlp with a URL such as http://127.0.0.1:4318, found ${url === undefined ? 'no URL' : `one with ${url.protocol}`}`,
    );
  if (url.username !== '' || url.password !== '')
    throw new PoolbenchError(
      'USAGE',
      'expected no login in the URL of --otlp, found one; set OTEL_EXPORTER_OTLP_HEADERS to authorization=Basic%20… instead',
    );
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/metrics`;
  return url;
}

/**
 * The headers of a push, with those of OTEL_EXPORTER_OTLP_HEADERS: name=value,name=value with percent-encoded values.
 *
 * @throws PoolbenchError USAGE, whose message has no value, which may be a key
 */
export function parseHeaders(text: string): Headers {
  const headers = new Headers();
  for (const [index, pair] of text.split(',').entries()) {
    if (pair.trim() === '') continue;
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    try {
      headers.set(name.trim(), decodeURIComponent(value.trim()));
    } catch {
      throw new PoolbenchError(
        'USAGE',
        `expected OTEL_EXPORTER_OTLP_HEADERS to be name=value,name=value, with percent-encoded values, found another form in part ${index + 1}`,
      );
    }
  }
  headers.set('content-type', 'application/json');
  return headers;
}

/** What a receiver says: of an error, or of what it took only in part. */
const reply = z
  .object({
    message: z.string().catch(''),
    partialSuccess: z
      .object({ rejectedDataPoints: z.coerce.number().catch(0), errorMessage: z.string().catch('') })
      .catch({ rejectedDataPoints: 0, errorMessage: '' }),
  })
  .catch({ message: '', partialSuccess: { rejectedDataPoints: 0, errorMessage: '' } });

function whyNotTaken(status: number, text: string): string | null {
  const { message, partialSuccess } = reply.parse(parseJson(text));
  const { rejectedDataPoints, errorMessage } = partialSuccess;
  const said = toOneLine(message || errorMessage).slice(0, maxMessageLength);
  const why = said === '' ? '' : ` (${said})`;
  if (status < 200 || status > 299) return `it answered ${status}${why}`;
  // A message without rejected values is only advice.
  return rejectedDataPoints > 0 ? `it rejected ${rejectedDataPoints} values${why}` : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readStart({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > maxReplyLength) break;
  }
  return text;
}
