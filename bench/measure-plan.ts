import type { Result } from '../src/aggregate/result.ts';
import type { Plan } from '../src/main/experiment/plan.ts';
import type { SessionFlags } from '../src/main/run/session.ts';

/**
 * Runs a plan as a command does, but prints and writes nothing. It runs what is compiled, as that ships, and its threads run
 * no TypeScript.
 *
 * @returns the result of each side
 * @throws what ended it early
 */
export async function measurePlan(plan: Plan, flags: SessionFlags = {}): Promise<readonly Result[]> {
  const { runSides }: typeof import('../src/main/run/run-sides.ts') = await import(
    new URL('../dist/main/run/run-sides.js', import.meta.url).href
  );
  const caller = { outlet: undefined, signal: new AbortController().signal };
  return await runSides(plan, flags, { name: 'bench', folder: null, caller }, ({ sides, error }) => {
    if (error !== undefined) throw error;
    return sides.map(({ result }) => result);
  });
}
