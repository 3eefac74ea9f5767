import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { OtlpPush, parseEndpoint, parseHeaders } from '../../../src/main/live/otlp-push.ts';
import { ownPort } from '../../support/ports.ts';
import { latenciesMs, runMetrics, step } from '../../support/run-metrics.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of OTLP that answers every push alike. */
async function receiver(answer: RequestListener): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    try {
      let body = '';
      for await (const chunk of request) body += chunk;
      received.push({ path: request.url ?? '', headers: request.headers, body });
      answer(request, response);
    } catch {
      // The end of a run aborts the push before the last one.
    }
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise(resolve => server.once('listening', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

/** Pushes to the end. @returns the warnings */
async function push(url: string, timeoutMs = 5000): Promise<string[]> {
  const warnings: string[] = [];
  const pushed = new OtlpPush(url, runMetrics(), { warn: text => warnings.push(text), timeoutMs });
  await pushed.close();
  return warnings;
}

const replyWith =
  (status: number, body: unknown): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test('the last push has every metric of the run, in the JSON of the protocol', async () => {
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Basic%20a%3D, x-tenant=b');
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  const { url, received } = await receiver(replyWith(200, {}));
  expect(await push(`${url}/otlp/`)).toEqual([]);
  const last = received.at(-1);
  expect(last?.path).toBe('/otlp/v1/metrics');
  expect(last?.headers).toMatchObject({
    'content-type': 'application/json',
    authorization: 'Basic a=',
    'x-tenant': 'b',
  });
  const { resourceMetrics } = JSON.parse(last?.body ?? '');
  const [{ resource, scopeMetrics }] = resourceMetrics;
  expect(resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'poolbench' } });
  const { metrics } = scopeMetrics[0];
  const own = runMetrics().now();
  expect(metrics.map(({ name }: { name: string }) => name)).toEqual(own.map(({ name }) => name));
  const bulk = { key: 'population', value: { stringValue: 'bulk' } };
  const find = (name: string) => metrics.find((one: { name: string }) => one.name === name);
  expect(find('poolbench_operations_completed_total')).toMatchObject({
    unit: '',
    sum: {
      ...{ isMonotonic: true, aggregationTemporality: 2 },
      dataPoints: [
        { asDouble: latenciesMs.length, attributes: [] },
        { asDouble: 7, attributes: [bulk] },
      ],
    },
  });
  const [inUse, idle] = ['in_use', 'idle'].map(stringValue => ({ key: 'state', value: { stringValue } }));
  expect(find('poolbench_pool_connections').gauge.dataPoints).toMatchObject([
    { asDouble: 5, attributes: [inUse] },
    { asDouble: 3, attributes: [idle] },
    { asDouble: 1, attributes: [bulk, inUse] },
    { asDouble: 3, attributes: [bulk, idle] },
  ]);
  const { unit, histogram } = find('poolbench_response_seconds');
  const [point] = histogram.dataPoints;
  expect(unit).toBe('s');
  expect(point.attributes).toContainEqual({ key: 'scenario', value: { stringValue: step.scenario } });
  expect(point.count).toBe(String(latenciesMs.length));
  expect(point.bucketCounts).toHaveLength(point.explicitBounds.length + 1);
  // 0.04 ms, 0.3 ms, and one beyond all bounds.
  expect(point.bucketCounts.map(Number)).toEqual([1, 0, 0, 1, ...Array(13).fill(0), 1]);
  expect(Number(point.startTimeUnixNano)).toBeLessThanOrEqual(Number(point.timeUnixNano));
  expect(point.timeUnixNano).toMatch(/^\d{19}$/);
});

test('a push that is taken with advice is no failure', async () => {
  const advice = { partialSuccess: { rejectedDataPoints: '0', errorMessage: 'use gzip' } };
  const { url } = await receiver(replyWith(200, advice));
  expect(await push(url)).toEqual([]);
});

describe('a push that fails is a warning', () => {
  test.each([
    [
      'partly rejected',
      200,
      { partialSuccess: { rejectedDataPoints: '3', errorMessage: 'too old' } },
      /rejected 3 .*\(too old\)/,
    ],
    [
      'refused',
      400,
      { partialSuccess: { rejectedDataPoints: 3, errorMessage: 'no' } },
      /answered 400 \(no\)/,
    ],
    ['refused with a status', 503, { code: 14, message: 'later\u001b[2J' }, /answered 503 \(later \[2J\)/],
    ['refused with anything', 404, [1], /answered 404;/],
  ])('%s', async (_, status, body, warning) => {
    const { url } = await receiver(replyWith(status, body));
    const warnings = await push(url);
    expect(warnings.at(-1)).toMatch(warning);
    expect(warnings.at(-1)).toContain(`${url}/v1/metrics`);
  });

  test('of a receiver that is not there', async () => {
    const warnings = await push(`http://127.0.0.1:${await ownPort()}?key=s3cret`);
    expect(warnings.at(-1)).toMatch(/ECONNREFUSED/);
    expect(warnings.join()).not.toContain('s3cret');
  });

  test('of one that sends the headers elsewhere, which do not go there', async () => {
    const other = await receiver(replyWith(200, {}));
    const { url } = await receiver(
      (_, response) => void response.writeHead(307, { location: other.url }).end(),
    );
    expect((await push(url)).at(-1)).toMatch(/answered 307/);
    expect(other.received).toEqual([]);
  });

  test.each<[string, RequestListener]>([
    ['of one that never answers', () => {}],
    ['of one whose answer never ends', (_, response) => void response.writeHead(200).write('{')],
  ])('%s, after a time that is bounded', async (_, answer) => {
    const { url } = await receiver(answer);
    expect((await push(url, 200)).at(-1)).toMatch(/did not answer within 0\.2 s/);
  });

  test('once while the run lasts, and once at its end', async () => {
    const { url } = await receiver(replyWith(500, {}));
    const warnings: string[] = [];
    const pushed = new OtlpPush(url, runMetrics(), { warn: text => warnings.push(text) });
    await expect.poll(() => warnings).toHaveLength(1);
    await pushed.close();
    expect(warnings).toHaveLength(2);
  });
});

describe('what is typed', () => {
  test.each([
    ['http://h:4318', 'http://h:4318/v1/metrics'],
    ['https://h/otlp/?a=b', 'https://h/otlp/v1/metrics?a=b'],
  ])('%s is a base', (text, url) => {
    expect(parseEndpoint(text).href).toBe(url);
  });

  test.each(['', 'h:4318', '4318', 'grpc://h', 'http://u:s3cret@h'])('"%s" is refused', text => {
    expect(() => parseEndpoint(text)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('s3cret') }),
    );
  });

  test.each(['s3cret', '=s3cret', 'a=%E0%A4%A', 'a b=s3cret', 'a=b,s3cret'])(
    'headers "%s" are refused',
    text => {
      expect(() => parseHeaders(text)).toThrow(
        expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('s3cret') }),
      );
    },
  );
});
