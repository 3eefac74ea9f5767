/** Faults that other tests go through, each with its own way to look at them: the file in `test/`, without its ending. */
export const coveredElsewhere: readonly { readonly fault: string; readonly test: string }[] = [
  {
    fault: 'A batch is cut off at any place: at its first, in the middle of, behind its last reply',
    test: 'clients-account-for-a-connection-lost-in-mid-batch',
  },
  {
    fault: 'The master fails over (Sentinel)',
    test: 'failover-is-followed-with-every-operation-accounted-for',
  },
  { fault: 'A master of a cluster fails over', test: 'cluster-that-fails-over-under-load-keeps-its-books' },
  { fault: 'A master of a cluster is lost for good', test: 'cluster-node-that-is-lost-fails-alone' },
  { fault: 'The server is away for two seconds', test: 'server-that-comes-back-is-used-again' },
  { fault: 'The server dies for good', test: 'server-that-stays-away-leaves-what-was-measured' },
  { fault: 'The server stalls for a second, in an open loop', test: 'stalled-server-shows-in-an-open-loop' },
  { fault: 'Writes are refused (OOM, READONLY)', test: 'refused-writes-are-counted-by-code' },
  { fault: 'Connections are cut one after another', test: 'connections-are-cut-on-purpose-and-come-back' },
  {
    fault: 'poolbench gets SIGINT, SIGTERM or SIGHUP: in the load, the prefill, a wait, a second time',
    test: 'interrupted-run-keeps-what-it-measured',
  },
  {
    fault: 'poolbench is killed (SIGKILL) with a server that it started',
    test: 'started-server-ends-with-its-parent',
  },
  { fault: 'poolbench is killed (SIGKILL) in a round', test: 'killed-run-is-gone-on-with' },
  { fault: 'The results folder fills up', test: 'full-disk-leaves-the-last-good-result' },
  {
    fault: 'A server that is down is stormed by its callers',
    test: 'connects-are-held-back-while-they-fail',
  },
  { fault: 'A thread hangs in an endless loop', test: 'thread-that-hangs-is-given-up' },
  { fault: 'Whoever reads the output goes away', test: 'closed-pipe-does-no-harm' },
];
