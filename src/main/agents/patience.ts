/** How long coordinator and agents wait for each other and for the control server, in milliseconds. */
export interface Patience {
  /** Between two heartbeats, in both directions. */
  readonly heartbeatMs: number;
  /** A coordinator or agent without a heartbeat for this long is lost. */
  readonly silentMs: number;
  /** An agent is also lost if its connection to the control server was closed this long ago. */
  readonly unreachedMs: number;
  /** The control server has paused if it takes longer to answer. During a pause, nobody counts as lost. */
  readonly pauseMs: number;
  /** The coordinator ends the run if the control server is unavailable for this long. */
  readonly controlMs: number;
  /** An agent then leaves the run. It waits longer than the coordinator, which keeps what was measured. */
  readonly outageMs: number;
  /** Messages may be lost. One without an answer is repeated after this time. */
  readonly answerMs: number;
  /** An agent that exceeds its planned time by this much is lost. */
  readonly graceMs: number;
  /** The end of a run, and of an agent, waits this long for the control server. */
  readonly endMs: number;
}

/** On a machine without an idle core, heartbeats are seconds late: with 5 s, slow agents counted as lost. */
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
