import { rmSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Preloaded (`node --import`): the first worker thread that finds the file FAULTY_THREAD_FILE does what
 * FAULTY_THREAD_DOES says, in its middle of whatever it is about.
 */
const faults = {
  throw() {
    throw new TypeError('a thread that throws');
  },
  leave() {
    // Node can crash if a thread ends while it still loads its modules.
    setTimeout(() => process.exit(0), 1000);
  },
  hang() {
    for (;;);
  },
  hoard() {
    for (const held = []; ; ) held.push(new Array(2_000_000).fill(held.length));
  },
};

const { FAULTY_THREAD_FILE: file = '', FAULTY_THREAD_DOES: fault = '' } = process.env;

if (!isMainThread) {
  setInterval(() => {
    try {
      // Of several threads one alone can remove it.
      rmSync(file);
    } catch {
      return;
    }
    faults[fault]();
  }, 5).unref();
}
