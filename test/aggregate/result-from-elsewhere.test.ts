import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { maxConfigCharacters } from '../../src/aggregate/scenario/schema-parts.ts';
import { mergeLatencies } from '../../src/aggregate/stats/histogram.ts';
import { whyNoHistogram } from '../../src/aggregate/stats/histogram-decoder.ts';
import { readResult } from '../../src/main/run/results/read-result.ts';
import { highestNs } from '../../src/pool/latency-counts.ts';
import { rejection } from '../support/connections.ts';
import { decodeHistogram } from '../support/decode-histogram.ts';
import { createHistogram, encodeHistogram } from '../support/library-histogram.ts';
import { buildResult, buildRound, buildScenario } from '../support/result-builder.ts';

/** What `readResult` throws for this text as a file, or undefined. */
let read: (text: string) => Promise<(Error & { code?: string }) | undefined>;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  const file = join(folder, 'result.json');
  read = async text => {
    await writeFile(file, text);
    return await readResult(file).then(
      () => undefined,
      (error: Error) => error,
    );
  };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const good = buildResult([buildScenario({}, [buildRound(1, 1000)])]);
const text = JSON.stringify(good);
/** The same with another text in place of a part. */
const changed = (part: string, by: string) => {
  if (!text.includes(part)) throw new Error(`expected ${part} in the result`);
  return text.replace(part, by);
};
const firstRound = (by: string) => changed('"round":1', by);

describe('a result is refused with one message', () => {
  const levels = 100_000;
  test.each([
    [
      'the key "__proto__"',
      firstRound('"__proto__":{"polluted":1},"round":1'),
      /__proto__: the key "__proto__"/,
    ],
    [
      'a failure code that every object has',
      firstRound('"failed":{"constructor":1},"round":1').replace('"failed":{},', ''),
      /the key "constructor"/,
    ],
    ['a number beyond all', firstRound('"round":1e999'), /rounds\.0\.round: a number that is not finite/],
    ['NaN, which is no JSON', firstRound('"round":NaN'), /found at 1:\d+: not valid JSON: /],
    ['a negative count', firstRound('"round":-1'), /rounds\.0\.round: /],
    ['a time that is none', changed('"startedAt":"2026-', '"startedAt":"gestern-'), /startedAt: /],
    ['a number as text', firstRound('"round":"1"'), /rounds\.0\.round: /],
    [
      'brackets without end',
      changed('"config":{', `"config":{"deep":${'['.repeat(levels)}${']'.repeat(levels)},`),
      /more than 32 levels/,
    ],
    [
      'a long text',
      changed('"warnings":[', `"warnings":["${'x'.repeat(maxConfigCharacters + 1)}"`),
      /warnings\.0: a text of 1048577 characters/,
    ],
    [
      'a long list',
      changed('"warnings":[', `"warnings":[${'1,'.repeat(100_000)}1`),
      /warnings: a list of 100001/,
    ],
    [
      'many keys',
      changed(
        '"config":{',
        `"config":{${Array.from({ length: 1001 }, (_, key) => `"${key}":1`)}${text.includes('"config":{}') ? '' : ','}`,
      ),
      /config: an object of \d+ keys/,
    ],
    [
      'a histogram of nothing',
      text.replace(/"histograms":\{"service":"[^"]*"/, '"histograms":{"service":"AAAA"'),
      /histogram service of .*, round 1: no HDR V2/,
    ],
  ])('%s', async (_, hostile, message) => {
    const error = await read(hostile);
    expect(error).toMatchObject({ code: 'RESULT_INVALID', message: expect.stringMatching(message) });
    expect(error?.message.length).toBeLessThan(1000);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('histograms that cannot be added up', async () => {
    const rounds = ([3, 2] as const).map((digits, index) => {
      const histogram = encodeHistogram(createHistogram(digits));
      return buildRound(index + 1, 1000, { histograms: { service: histogram, response: histogram } });
    });
    expect(await read(JSON.stringify(buildResult([buildScenario({}, rounds)])))).toMatchObject({
      code: 'RESULT_INVALID',
      message: expect.stringMatching(/histogram service of .*, round 2: 2 digits, in rounds before it 3$/),
    });
  });

  test('the same without all that is read, and with the longest command of a config', async () => {
    expect(await read(text)).toBeUndefined();
    const command = 'x'.repeat(maxConfigCharacters);
    const config = { ...good.config, workload: { commands: [{ command, weight: 1 }] } };
    expect(await read(JSON.stringify({ ...good, config }))).toBeUndefined();
  });

  test('a file without end, and one too large to parse', async () => {
    const endless = join(folder, 'endless.json');
    await symlink('/dev/zero', endless);
    expect((await rejection(readResult(endless))).message).toMatch(/found no regular file/);
    const huge = join(folder, 'huge.json');
    await writeFile(huge, '');
    await truncate(huge, 300 * 2 ** 20);
    expect((await rejection(readResult(huge))).message).toMatch(/of at most 256 MiB, found 300 MiB/);
  });
});

/** A histogram that says whatever it is told to. */
function forge(says: { digits?: number; highest?: bigint; counts?: Buffer; length?: number }): string {
  const { digits = 3, highest = 600_000_000_000n, counts = Buffer.alloc(0) } = says;
  const { length = counts.length } = says;
  const header = Buffer.alloc(40);
  header.writeInt32BE(0x1c849313, 0);
  header.writeInt32BE(length, 4);
  header.writeInt32BE(1, 8);
  header.writeInt32BE(digits, 12);
  header.writeBigInt64BE(1n, 16);
  header.writeBigInt64BE(highest, 24);
  return seal(deflateSync(Buffer.concat([header, counts])));
}

function seal(deflated: Buffer): string {
  const outer = Buffer.alloc(8);
  outer.writeInt32BE(0x1c849314, 0);
  outer.writeInt32BE(deflated.length, 4);
  return Buffer.concat([outer, deflated]).toString('base64');
}

describe('a histogram', () => {
  test.each([
    ['text', 'no base64!', /not base64/],
    ['nothing', '', /not base64/],
    ['a bomb', seal(deflateSync(Buffer.alloc(64 << 20))), /inflated to at most 1 MiB/],
    ['garbage inside', seal(deflateSync(Buffer.alloc(100))), /no HDR V2 histogram inside/],
    ['a length that is not its own', forge({ length: 1 << 30 }), /counts are cut off/],
    ['buckets for a gigabyte', forge({ digits: 9 }), /of 9 digits/],
    ['a range that is none', forge({ highest: -1n }), /from 1 to -1/],
    ['half a count', forge({ counts: Buffer.from([0x80]) }), /half a count/],
    [
      'more counts than it has',
      forge({ digits: 1, highest: 100n, counts: Buffer.alloc(5000, 2) }),
      /more than its \d+ counts/,
    ],
    [
      'zeros without end',
      forge({ counts: Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]) }),
      /more than its \d+ counts/,
    ],
    [
      'counts without end',
      forge({ counts: Buffer.from([0xfe, ...Array(7).fill(0xff), 0xff]) }),
      /more values than can be counted/,
    ],
  ])('%s is none', (_, encoded, reason) => {
    expect(whyNoHistogram(encoded)).toMatch(reason);
  });

  test('whatever was recorded is one, and is decoded to what it was', () => {
    const digits = fc.constantFrom(1, 2, 3) as fc.Arbitrary<1 | 2 | 3>;
    const values = fc.array(
      fc.tuple(fc.integer({ min: 0, max: highestNs }), fc.integer({ min: 1, max: 2 ** 20 })),
    );
    fc.assert(
      fc.property(digits, values, (digits, recorded) => {
        const histogram = createHistogram(digits);
        for (const [value, count] of recorded) histogram.recordValueWithCount(value, count);
        const encoded = encodeHistogram(histogram);
        histogram.destroy();
        expect(whyNoHistogram(encoded)).toBeNull();
        const decoded = decodeHistogram(encoded);
        expect(decoded.totalCount).toBe(recorded.reduce((sum, [, count]) => sum + count, 0));
        decoded.destroy();
      }),
      { numRuns: 50 },
    );
  });

  test('as many counts as one of a small range has can be added up', () => {
    const encoded = forge({ digits: 3, highest: 100n, counts: Buffer.alloc(2048, 2) });
    expect(whyNoHistogram(encoded)).toBeNull();
    expect(mergeLatencies([encoded, encoded]).summary.count).toBe(2 * 2048);
  });

  test('what is let through after a change can be decoded', () => {
    const histogram = createHistogram(2);
    for (let value = 1; value < 1e9; value *= 3) histogram.recordValue(value);
    const bytes = Buffer.from(encodeHistogram(histogram), 'base64');
    histogram.destroy();
    const places = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(places, changes => {
        const mutated = Buffer.from(bytes);
        for (const [at, byte] of changes) mutated[at] = byte;
        const encoded = mutated.toString('base64');
        if (whyNoHistogram(encoded) !== null) return;
        decodeHistogram(encoded).destroy();
        mergeLatencies([encoded]);
      }),
      { numRuns: 300 },
    );
  });
});
