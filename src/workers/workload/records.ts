/**
 * The records of a workload that adds some while it runs, as one pool sees them: those that were there before the load,
 * and as many more at most. Seeded; makes no garbage.
 */
export interface Records {
  /** The record of the next insert. */
  add(): number;
  /** The record of the next read or scan. */
  choose(): number;
  /** The insert of this record has its outcome, whatever that is. */
  settle(record: number): void;
  /** Inserts so far. */
  readonly added: number;
}
