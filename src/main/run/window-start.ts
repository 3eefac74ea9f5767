import { nowNs } from '../../pool/clock.ts';
import type { SharedState, ThreadGrowth } from '../../workers/shared-state.ts';

/** The pools have grown when no worker has needed another connection for this long. */
const quietNs = 200e6;
/** Limit of a warm-up in which the pools do not stop growing, unless a longer one is planned. */
export const maxGrowthSeconds = 2;

/** Lead between setting the start of the window and the start itself: every thread of this process sees it by then. */
const minLeadNs = 30e6;
const leadNsPerThread = 1e6;
/** A thread that looked less often than this in the warm-up gets a longer lead. */
const maxLeadNs = 500e6;
const pollMs = 5;

/** The start of a measured window, and what came before it. */
export interface WindowStart {
  /** An instant of the monotonic clock. */
  readonly startNs: number;
  /** How long the warm-up really is. */
  readonly warmupSeconds: number;
  /** Whether every worker has had a connection by then, and no pool was growing. */
  readonly grown: boolean;
}

/**
 * Waits until the pools of all threads have grown, and sets the start of their measured window: `quietNs` after the last
 * growth, but not before `warmupSeconds`, and at the latest after 2 s or `warmupSeconds`. Without a warm-up the window
 * starts with the load. Undefined if `isOver` became true before that.
 *
 * @param releasedNs the start instant of the load
 * @param leadNs between setting the start and the start itself, at least: the threads must see it by then
 * @param boundSeconds the 2 s; tests of how pools grow need more on a busy machine
 * @param onSet is called before the threads can see the start
 */
export async function openWindow(
  shared: SharedState,
  {
    releasedNs,
    warmupSeconds,
    threads,
    leadNs = minLeadNs,
    boundSeconds = maxGrowthSeconds,
  }: { releasedNs: number; warmupSeconds: number; threads: number; leadNs?: number; boundSeconds?: number },
  isOver: () => boolean,
  onSet: (start: WindowStart) => void,
): Promise<void> {
  const set = (startNs: number, grown: boolean) => {
    onSet({ startNs, warmupSeconds: (startNs - releasedNs) / 1e9, grown });
    shared.openWindow(startNs);
  };
  if (warmupSeconds === 0) return set(releasedNs, false);

  const latestNs = releasedNs + Math.max(warmupSeconds, boundSeconds) * 1e9;
  const lead = new Lead(leadNs + threads * leadNsPerThread, releasedNs);
  while (!isOver()) {
    const growths = Array.from({ length: threads }, (_, thread) => shared.growth(thread));
    const now = nowNs();
    const plan = planStart(growths, releasedNs + warmupSeconds * 1e9, latestNs);
    lead.note(growths, now);
    // With a long lead the start would be set while a pool still grows.
    const grown = plan.grown && growths.every(hasBeenQuiet);
    const isDue = plan.startNs - now <= lead.ns;
    if (isDue && (grown || latestNs - now <= lead.ns))
      return set(Math.max(plan.startNs, now + lead.ns), grown);
    await new Promise(resolve => setTimeout(resolve, pollMs));
  }
}

/**
 * When the window starts if nothing more is opened, by what the threads have seen so far.
 *
 * @param earliestNs end of the planned warm-up
 * @param latestNs bound of a warm-up in which the pools do not stop growing
 */
export function planStart(
  growths: readonly ThreadGrowth[],
  earliestNs: number,
  latestNs: number,
): Pick<WindowStart, 'startNs' | 'grown'> {
  const allConnected = growths.every(growth => growth.allConnected);
  const quietFromNs = Math.max(...growths.map(({ grownNs }) => (grownNs === 0 ? 0 : grownNs + quietNs)));
  const startNs = Math.max(earliestNs, quietFromNs);
  return allConnected && startNs <= latestNs ? { startNs, grown: true } : { startNs: latestNs, grown: false };
}

/** Whether the thread has seen, but for the shortest lead, that its pools do not grow for as long as they must. */
function hasBeenQuiet({ lookedNs, grownNs }: ThreadGrowth): boolean {
  return lookedNs - grownNs >= quietNs - minLeadNs;
}

/** How long before the start all threads can be relied on to see it: twice the longest time that one did not look. */
class Lead {
  ns: number;
  readonly #releasedNs: number;

  constructor(leadNs: number, releasedNs: number) {
    this.ns = leadNs;
    this.#releasedNs = releasedNs;
  }

  note(growths: readonly ThreadGrowth[], now: number): void {
    for (const { lookedNs } of growths) {
      const silentNs = now - Math.max(lookedNs, this.#releasedNs);
      this.ns = Math.max(this.ns, Math.min(2 * silentNs, maxLeadNs));
    }
  }
}
