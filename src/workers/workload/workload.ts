import { Batch, type BatchOwner } from '../../pool/client/batch.ts';

/** The workload of a pool's workers. Seeded; filling batches makes no garbage. */
export interface Workload {
  /** Numbers of each command: the stride that batches must be made with. */
  readonly stride: number;
  /**
   * Chooses the commands of the batch and their numbers. Which ones come does not depend on the sizes of batches.
   *
   * @param arrival number of the batch among the arrivals of its pool, from 0; absent in a closed loop
   */
  fill(batch: Batch, arrival?: number): void;
  /** Makes a batch of another kind, whose operations are no commands of a set. */
  newBatch?(owner: BatchOwner): Batch;
  /** Takes note of a batch whose outcome is known; undefined if that makes no difference. */
  settle?(batch: Batch): void;
  /** Records inserted so far; undefined if the workload inserts none. */
  readonly inserted?: number;
}

/** A batch that the workload fills. The workload takes note of the outcome before the owner does. */
export function batchFor(workload: Workload, size: number, owner: BatchOwner): Batch {
  if (workload.newBatch !== undefined) return workload.newBatch(owner);
  if (workload.settle === undefined) return new Batch(size, owner, workload.stride);
  const settlesFirst: BatchOwner = {
    done: batch => {
      workload.settle?.(batch);
      owner.done(batch);
    },
  };
  return new Batch(size, settlesFirst, workload.stride);
}
