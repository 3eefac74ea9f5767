import { Batch, type BatchOwner } from '../../pool/batch.ts';

/** What the workers of one pool ask of the server. Seeded; filling batches makes no garbage. */
export interface Workload {
  /** Numbers for each command: batches must be made with as many. */
  readonly stride: number;
  /** Chooses the commands of the batch and their numbers. How commands are put into batches makes no difference to them. */
  fill(batch: Batch): void;
  /** Hears of the batches whose outcome is known, where it has a use for that. */
  settle?(batch: Batch): void;
  /** Records that were inserted so far; undefined where none are. */
  readonly inserted?: number;
}

/** A batch to be filled by a workload, which hears of its outcome before the owner does. */
export function batchFor(workload: Workload, size: number, owner: BatchOwner): Batch {
  if (workload.settle === undefined) return new Batch(size, owner, workload.stride);
  const settlesFirst: BatchOwner = {
    done: batch => {
      workload.settle?.(batch);
      owner.done(batch);
    },
  };
  return new Batch(size, settlesFirst, workload.stride);
}
