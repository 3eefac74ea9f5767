import { nowNs } from '../../pool/clock.ts';

/**
 * The clock of the control server, by which agents and coordinator agree on an instant. Their own clocks are unrelated:
 * each machine's monotonic clock counts from its own start.
 */

/** One request for the time, by the monotonic clock here, and the answer. Microseconds. */
interface Exchange {
  readonly askedMicros: number;
  readonly heardMicros: number;
  /** The server's clock at some instant between the two. It counts whole microseconds. */
  readonly serverMicros: number;
}

/**
 * The offset of the server's clock to the one here. Each answer was given between question and receipt, whatever its
 * route, so the offset lies in all of these intervals: their intersection bounds it (K. Marzullo and S. Owicki, 1983,
 * for sources that are never wrong). Null if the intersection is empty, because a clock was set in the meantime.
 */
export function boundOffset(
  exchanges: readonly Exchange[],
): { readonly offsetMicros: number; readonly boundMicros: number } | null {
  const low = Math.max(...exchanges.map(({ serverMicros, heardMicros }) => serverMicros - heardMicros));
  const high = Math.min(...exchanges.map(({ serverMicros, askedMicros }) => serverMicros + 1 - askedMicros));
  if (exchanges.length === 0 || low > high) return null;
  return { offsetMicros: (low + high) / 2, boundMicros: (high - low) / 2 };
}

/** Converts instants between the monotonic clock of this machine (ns) and the control server's clock (µs). */
export class ControlClock {
  readonly #offsetMicros: number;
  /** Max difference between the true offset and the one in use. */
  readonly boundMicros: number;

  constructor({ offsetMicros, boundMicros }: NonNullable<ReturnType<typeof boundOffset>>) {
    this.#offsetMicros = offsetMicros;
    this.boundMicros = boundMicros;
  }

  toControl(localNs: number): number {
    return localNs / 1000 + this.#offsetMicros;
  }

  toLocal(controlMicros: number): number {
    return (controlMicros - this.#offsetMicros) * 1000;
  }
}

/** Number of requests for the time. The shortest round trips determine the bound, and a dozen include a short one. */
const exchangesPerLook = 12;
/** Clocks that were set during the exchanges are compared again. */
const maxLooks = 3;

/**
 * @param askTime asks the control server for its time, in microseconds
 * @throws Error if its clock was set three times in a row while it was read
 */
export async function readClock(askTime: () => Promise<number>): Promise<ControlClock> {
  for (let look = 0; look < maxLooks; look++) {
    const exchanges: Exchange[] = [];
    for (let index = 0; index < exchangesPerLook; index++) {
      const askedMicros = nowNs() / 1000;
      const serverMicros = await askTime();
      exchanges.push({ askedMicros, serverMicros, heardMicros: nowNs() / 1000 });
    }
    const bounded = boundOffset(exchanges);
    if (bounded !== null) return new ControlClock(bounded);
  }
  throw new Error('the clock of the control server changed while it was read');
}
