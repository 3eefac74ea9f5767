/** A fault that other tests go through, in their own way. */
interface CoveredElsewhere {
  readonly fault: string;
  /** The file of those tests. */
  readonly test: string;
  /** The group of those tests, if the file has others too. */
  readonly about?: string;
}

export const coveredElsewhere: readonly CoveredElsewhere[] = [
  {
    fault: 'Each fault under load, with node-redis, iovalkey and a client module',
    test: 'test/pool/client/faults.test.ts',
    about: 'faults with the clients that are loaded',
  },
  {
    fault: 'A batch is cut off anywhere: at its first reply, within a reply, after its last reply',
    test: 'test/pool/client/lost-connections.test.ts',
  },
  {
    fault: 'The master fails over (Sentinel)',
    test: 'test/e2e/lost-server.test.ts',
    about: 'failover is followed with every operation accounted for',
  },
  {
    fault: 'A master of a cluster fails over',
    test: 'test/e2e/cluster.test.ts',
    about: 'cluster that fails over under load keeps its books',
  },
  {
    fault: 'A master of a cluster is lost for good',
    test: 'test/pool/client/cluster-outcomes.test.ts',
    about: 'lost nodes',
  },
  {
    fault: 'The server is unavailable for two seconds',
    test: 'test/e2e/lost-server.test.ts',
    about: 'server that comes back is used again',
  },
  {
    fault: 'The server dies for good',
    test: 'test/e2e/lost-server.test.ts',
    about: 'server that stays away leaves what was measured',
  },
  { fault: 'The server stalls for a second, in an open loop', test: 'test/timing/stalled-server.test.ts' },
  {
    fault: 'Writes are refused (OOM, READONLY)',
    test: 'test/e2e/lost-server.test.ts',
    about: 'refused writes are counted by code',
  },
  { fault: 'Connections are cut one after another', test: 'test/e2e/connections.test.ts' },
  {
    fault: 'poolbench gets SIGINT, SIGTERM or SIGHUP: in the load, the prefill, a wait, or twice',
    test: 'test/e2e/interrupt.test.ts',
  },
  {
    fault: 'poolbench is killed (SIGKILL) with a server that it started',
    test: 'test/main/server/server-process.test.ts',
  },
  {
    fault: 'poolbench is killed (SIGKILL) in a round',
    test: 'test/e2e/resume.test.ts',
    about: 'killed run is gone on with',
  },
  {
    fault: 'poolbench is killed (SIGKILL) while its keys are on the server, and resumed',
    test: 'test/e2e/killed-run-keys.test.ts',
  },
  {
    fault: 'The results folder fills up',
    test: 'test/e2e/resume.test.ts',
    about: 'full disk leaves the last good result',
  },
  {
    fault: 'Many callers reconnect to a server that is down',
    test: 'test/pool/circuit-breaker.test.ts',
  },
  {
    fault: 'A thread hangs in an endless loop',
    test: 'test/main/run/measure.test.ts',
    about: 'thread that hangs is given up',
  },
  {
    fault: 'The reader of the output goes away',
    test: 'test/e2e/command-line.test.ts',
    about: 'a closed pipe',
  },
  {
    fault:
      'Agents are missing, have another version, or may not load the target; the control server refuses the login',
    test: 'test/e2e/agents.test.ts',
    about: 'run without its agents does not begin',
  },
  {
    fault:
      'An agent or the coordinator is killed, stopped (SIGSTOP), asked to end, or interrupted once or twice',
    test: 'test/e2e/agents-lost.test.ts',
    about: 'agent that is lost ends the run',
  },
  {
    fault: 'The control server is restarted without its data, silent for 15 s, or does not return',
    test: 'test/e2e/agents-lost.test.ts',
    about: 'control server that is lost',
  },
  {
    fault: 'An agent is not ready in time, or receives a start too late',
    test: 'test/main/agents/agent-threads.test.ts',
  },
  {
    fault: 'Another program writes to the control server',
    test: 'test/main/agents/messages.test.ts',
  },
];
