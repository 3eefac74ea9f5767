import { isMainThread } from 'node:worker_threads';

/** Preloaded (`node --import`): every worker thread that has connections burns 15 ms of CPU in each turn of its event loop. */
function burn() {
  const endMs = performance.now() + 15;
  while (performance.now() < endMs);
  setImmediate(burn).unref();
}

/** Starts with the first connection, because a run's other work would take far longer without the cores. */
function watch() {
  if (process.getActiveResourcesInfo().includes('TCPSocketWrap')) burn();
  else setTimeout(watch, 5).unref();
}

if (!isMainThread) watch();
