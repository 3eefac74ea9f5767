/** How long coordinator and agents wait for one another and for the control server. Milliseconds. */
export interface Patience {
  /** Between two heartbeats, in both directions. */
  readonly heartbeatMs: number;
  /** A coordinator or agent without a heartbeat for this long is lost. */
  readonly silentMs: number;
  /** So is an agent whose connection to the control server was closed this long ago. */
  readonly unreachedMs: number;
  /** The control server has paused if it takes longer to answer. A pause makes nobody lost. */
  readonly pauseMs: number;
  /** A coordinator whose control server is away for this long ends the run. */
  readonly controlMs: number;
  /** An agent leaves the run then. It waits longer than the coordinator, which keeps what was measured. */
  readonly outageMs: number;
  /** A message may be lost. One without an answer is repeated after this. */
  readonly answerMs: number;
  /** An agent that takes so much longer than planned is lost. */
  readonly graceMs: number;
  /** The end of a run, and of an agent, waits this long for the control server. */
  readonly endMs: number;
}

/** A heartbeat is seconds late on a machine without an idle core: with 5 s, agents were lost that were only slow. */
export const usualPatience: Patience = {
  heartbeatMs: 1000,
  silentMs: 15_000,
  unreachedMs: 5000,
  pauseMs: 2500,
  controlMs: 20_000,
  outageMs: 30_000,
  answerMs: 2000,
  graceMs: 60_000,
  endMs: 3000,
};
