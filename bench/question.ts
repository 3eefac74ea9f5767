import type { Report } from './report.ts';
import type { BenchServer } from './server.ts';

/** What a question of the bench is given. */
export interface Bench {
  /** A redis-server of the bench's own. */
  readonly server: BenchServer;
  readonly report: Report;
  /** How often each arm is measured; a question that needs more takes a multiple of it. */
  readonly rounds: number;
}

/** One question: measures, and says what it found. */
export type Question = (bench: Bench) => Promise<void>;
