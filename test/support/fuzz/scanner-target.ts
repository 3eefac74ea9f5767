import { deepStrictEqual, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { RespScanner } from '../../../src/pool/client/resp-scanner.ts';
import { PoolError } from '../../../src/pool/errors.ts';
import { cutBy, sizes } from '../resp-values.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { mutatedBytes } from './mutated-bytes.ts';

const all = Number.MAX_SAFE_INTEGER;
/** What is kept of an error, at the most. */
const longestMessage = 512;

interface Scanned {
  /** Undefined where a protocol error ended the scan: how many replies came before it nobody asks. */
  readonly replies: number | undefined;
  readonly nils: number;
  readonly errors: readonly string[];
}

/** Scans chunks out of a buffer that holds something else behind them. */
function scan(chunks: readonly Buffer[], stale: number): Scanned {
  const errors: string[] = [];
  let nils = 0;
  const scanner = new RespScanner(
    (code, message) => {
      ok(message.length <= longestMessage);
      errors.push(`${code}|${message.slice(0, 200)}`);
    },
    { null: () => nils++ },
  );
  const buffer = Buffer.alloc(Math.max(1, ...chunks.map(chunk => chunk.length)) + 64);
  let replies: number | undefined = 0;
  for (const chunk of chunks) {
    buffer.fill(stale);
    chunk.copy(buffer);
    try {
      const found = scanner.scan(buffer, 0, chunk.length, all);
      ok(found >= 0 && found <= chunk.length && scanner.at === chunk.length);
      replies += found;
    } catch (error) {
      ok(error instanceof PoolError && error.code === 'PROTOCOL', error as Error);
      replies = undefined;
      break;
    }
  }
  return { replies, nils, errors };
}

/** Throws nothing but PROTOCOL, counts the same however the bytes are cut, and never looks behind their end. */
export const scannerTarget: FuzzTarget = {
  name: 'the scanner of replies',
  async open() {
    const property = fc.property(mutatedBytes, sizes, (bytes, sizes) => {
      const whole = scan([bytes], 0x2b);
      deepStrictEqual(scan([bytes], 0x0a), whole);
      deepStrictEqual(scan(cutBy(bytes, [1]), 0x2b), whole);
      deepStrictEqual(scan(cutBy(bytes, sizes), 0x0d), whole);
    });
    return { property, close: async () => {} };
  },
};
