/** What a script must not do. The codes are counted in results, so they are stable. */
type ScriptFaultCode =
  /** A key that is not the run's own. Its command was not sent. */
  | 'FOREIGN_KEY'
  /** A command that a load never sends. */
  | 'COMMAND_REFUSED'
  /** More names of steps than there is room for. */
  | 'TOO_MANY_STEPS';

export class ScriptFault extends Error {
  readonly code: ScriptFaultCode;

  constructor(code: ScriptFaultCode, message: string) {
    super(message);
    this.name = 'ScriptFault';
    this.code = code;
  }
}
