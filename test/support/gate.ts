import { join } from 'node:path';
import { createExperiment } from './experiment.ts';
import { type Outcome, runPoolbench } from './poolbench.ts';
import { startProxy } from './proxy.ts';
import { ofTest, startRedis } from './servers.ts';

const config = {
  scenarios: [{ client: 'wire', workers: 4 }],
  workload: { keys: 10 },
  rounds: { atLeast: 6, atMost: 12 },
  seconds: 0.12,
};

/** A `versus` with a gate: of `old` and `new`, a Redis each, whose replies are held back for so long while load runs. */
export async function delayedVersus(
  condition: string,
  delaysMs: readonly [number, number],
  changes: Readonly<Record<string, unknown>> = {},
): Promise<Outcome & { readonly folder: string }> {
  const proxies = await Promise.all(delaysMs.map(async () => startProxy((await ofTest(startRedis())).port)));
  const [old, other] = await Promise.all(
    ['old', 'new'].map((name, index) =>
      createExperiment(`redis://127.0.0.1:${proxies[index]?.port}/0`, { ...config, ...changes, name }),
    ),
  );
  if (old === undefined || other === undefined) throw new Error('expected two sides');
  let delayed = false;
  const outcome = await runPoolbench(
    [
      ...['versus', old.configPath, other.configPath, '--fail-if', condition],
      ...['--out', join(old.folder, 'results')],
    ],
    {
      // The targets are known by then, by connections of their own, which are not the load's.
      onOutput(output) {
        if (delayed || !/^Plan: /m.test(output)) return;
        delayed = true;
        for (const [index, proxy] of proxies.entries()) {
          proxy.delayedFrom = proxy.accepted;
          proxy.delayMs = delaysMs[index] ?? 0;
        }
      },
    },
  );
  return { ...outcome, folder: await old.resultsFolder() };
}
