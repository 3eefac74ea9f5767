import { isMainThread } from 'node:worker_threads';

/** Preloaded (`node --import`): every worker thread burns 30 ms of CPU in each turn of its event loop. */
function burn() {
  const endMs = performance.now() + 30;
  while (performance.now() < endMs);
  setImmediate(burn).unref();
}

if (!isMainThread) burn();
