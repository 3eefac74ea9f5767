import type { Batch } from '../../pool/batch.ts';

/** Chooses the commands of batches. How commands are put into batches makes no difference to them. */
export interface CommandChooser {
  choose(batch: Batch): void;
}
