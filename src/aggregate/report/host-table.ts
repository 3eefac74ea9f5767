import type { Result } from '../result.ts';
import { type HostFigures, hostFigures } from '../stats/hosts.ts';
import { formatFraction, formatKnown, formatMs } from '../text/format.ts';
import { type Block, figures, heading, note, only, table, wide, words } from './blocks.ts';

const hostNote =
  'Medians over the measurements, but the worst clock bound, lead and start lag. Clock bound: the maximum difference between the clocks of the agent and the control server. Lead: how long before a start the agent received it. Start lag: how long after it the last of the threads began.';

const formatCores = (cores: number) => cores.toFixed(2);

/** The agents of a run; nothing if the load ran without. */
export function hostBlocks(result: Pick<Result, 'hosts' | 'scenarios'>): Block[] {
  const hosts = hostFigures(result);
  if (hosts.length === 0) return [];
  return [
    ...only(wide, [heading(2, 'Hosts'), note(hostNote)]),
    table<HostFigures>(
      hosts,
      [
        words('agent', ({ name, left }) =>
          left === true ? `${name} (only before the run was resumed)` : name,
        ),
        words('CPU', ({ cpu }) => cpu, { terminal: false }),
        figures('cores', ({ cores }) => String(cores)),
        words('Node', ({ node }) => node, { terminal: false }),
        figures('threads', ({ threads }) => String(threads)),
        figures('cores used', ({ coresUsed }) => formatKnown(coresUsed, formatCores)),
        figures('machine busy', ({ busyRatio }) => formatKnown(busyRatio, formatFraction)),
        figures('round trip ms', ({ roundTripMs }) => formatKnown(roundTripMs, formatMs)),
        figures('clock bound ms', ({ maxBoundMs }) => formatKnown(maxBoundMs, formatMs)),
        figures('lead ms', ({ minLeadMs }) => formatKnown(minLeadMs, formatMs)),
        figures('start lag ms', ({ maxStartLagMs }) => formatKnown(maxStartLagMs, formatMs)),
      ],
      'Agents',
    ),
  ];
}
