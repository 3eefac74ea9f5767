import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { shownNode } from '../../pool/client/address.ts';
import { PoolbenchError } from '../errors.ts';
import { loopbackAddress } from '../local-addresses.ts';
import { renderExposition } from './exposition.ts';
import type { RunMetrics } from './run-metrics.ts';

/** The format of the text: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Serves the metrics of a run over HTTP on `/metrics`, and nothing else, for Prometheus to scrape while it lasts. */
export class MetricsServer {
  readonly #host: string;
  readonly #server: Server;

  private constructor(host: string, metrics: RunMetrics) {
    this.#host = host;
    this.#server = createServer((request, response) => {
      const { method = '', url = '' } = request;
      if (url.split('?', 1)[0] !== '/metrics') response.writeHead(404).end('see /metrics\n');
      else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
      else response.writeHead(200, { 'content-type': contentType }).end(renderExposition(metrics.now()));
    });
  }

  /**
   * @param address as it was typed
   * @param metrics read at every scrape
   * @throws PoolbenchError USAGE, METRICS_NOT_SERVED
   */
  static async open(address: string, metrics: RunMetrics): Promise<MetricsServer> {
    const { host, port } = parseListenAddress(address);
    const served = new MetricsServer(host, metrics);
    await new Promise<void>((resolve, reject) => {
      served.#server.once('error', cause => reject(notServed(host, port, cause)));
      served.#server.listen({ host, port }, resolve);
    });
    // It must not keep the process alive after the run.
    served.#server.unref();
    return served;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://${shownNode({ host: this.#host, port })}/metrics`;
  }

  async close(): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function notServed(host: string, port: number, cause: Error): PoolbenchError {
  const code = 'code' in cause ? cause.code : undefined;
  const found = code === 'EADDRINUSE' ? 'another process that listens there' : cause.message;
  return new PoolbenchError(
    'METRICS_NOT_SERVED',
    `expected to serve metrics on ${shownNode({ host, port })} (--prometheus), found ${found}; give another port, or 0 for a free one`,
    { cause },
  );
}

/**
 * Reads the value of `--prometheus`: a port of this machine's loopback address, or a host and a port. Port 0 takes a free one.
 *
 * @throws PoolbenchError USAGE
 */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, named, digits = ''] = /^(?:\[([\da-f:.]+)\]:|([^\s:/]+):)?(\d{1,5})$/i.exec(text) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) {
    throw new PoolbenchError(
      'USAGE',
      `expected --prometheus PORT, or HOST:PORT to listen elsewhere than on 127.0.0.1, such as 9400 or 0.0.0.0:9400, found ${text}`,
    );
  }
  return { host: bracketed ?? named ?? loopbackAddress(), port };
}
