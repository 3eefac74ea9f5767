import type { LimitedBy } from '../../result.ts';
import { formatCount, formatFraction, formatMs } from '../../text/format.ts';
import type { LimitFigures, Surroundings } from './figures.ts';

/** The figures that every label is told with, in this order. */
const figureNames = ['thread', 'unserved', 'server', 'trips', 'machine', 'waiting', 'backlog'] as const;
export type Figure = (typeof figureNames)[number];

/** A label, the figures it rests on, and what they mean where they do not say it themselves. */
export interface Finding {
  readonly resource: LimitedBy['resource'];
  readonly by: readonly Figure[];
  readonly meaning?: string;
}

/** From here on they are worth a word. */
const minGcRatio = 0.05;
const minDelayMs = 10;

/** One line: what decided, what it means, and the other figures. */
export function tellLimit(finding: Finding, figures: LimitFigures, surroundings: Surroundings): string {
  const tell = (names: readonly Figure[]) =>
    names.flatMap(name => phrases[name](figures, surroundings) ?? []).join(', ');
  const others = figureNames.filter(name => !finding.by.includes(name));
  const meaning = finding.meaning === undefined ? '' : `: ${finding.meaning}`;
  return `${tell(finding.by)}${meaning}; ${tell(others)}`;
}

/** Each figure in words; undefined where it is not known or not worth one. */
const phrases: Record<
  Figure,
  (figures: LimitFigures, surroundings: Surroundings) => string | readonly string[] | undefined
> = {
  thread: figures => [tellThread(figures), ...tellStalls(figures)],
  unserved: ({ threadWaitRatio, threads }) =>
    threadWaitRatio === null
      ? undefined
      : `${threads > 1 ? 'threads' : 'thread'} ready without a core ${formatFraction(threadWaitRatio)} of the time`,
  server: tellServer,
  trips: ({ serviceMs, basePingMs }) =>
    `${formatMs(serviceMs)} ms a batch${basePingMs === null ? '' : `, a PING before the load ${formatMs(basePingMs)} ms`}`,
  machine: ({ clientCores, serverCores, machineBusyRatio }, { cores, local }) => {
    const server = local && serverCores !== null ? `, server ${serverCores.toFixed(2)}` : '';
    return `machine ${formatFraction(machineBusyRatio)} busy (client ${clientCores.toFixed(2)}${server} of ${cores} cores)`;
  },
  backlog: ({ backlog }) =>
    backlog === 0 ? undefined : `up to ${formatCount(backlog)} due while all workers were busy`,
  waiting: ({ waitingRatio, waitingMs, peakWaiting }) =>
    `${formatFraction(waitingRatio)} of the response time (${formatMs(waitingMs)} ms) before the connection` +
    (peakWaiting > 0 ? `, up to ${peakWaiting} waiting` : ''),
};

function tellThread({ threads, threadCores, medianLoop, busiestLoop, spinRatio }: LimitFigures): string {
  const subject = threads > 1 ? `median of ${threads} threads` : 'thread';
  const cores = threadCores === null ? '' : ` ${threadCores.toFixed(2)} of a core,`;
  const busiest = threads > 1 ? ` (busiest ${formatFraction(busiestLoop)})` : '';
  const spun = spinRatio === 0 ? '' : ` (and ${formatFraction(spinRatio)} spun until the next arrival)`;
  return `${subject}${cores} event loop ${formatFraction(medianLoop)} busy${spun}${busiest}`;
}

function tellStalls({ gcRatio, gcLongestMs, loopDelayP99Ms }: LimitFigures): string[] {
  return [
    ...(gcRatio >= minGcRatio
      ? [`garbage collection ${formatFraction(gcRatio)} of the time, ${formatMs(gcLongestMs)} ms at most`]
      : []),
    ...(loopDelayP99Ms >= minDelayMs ? [`event loop ${formatMs(loopDelayP99Ms)} ms late (p99)`] : []),
  ];
}

function tellServer(
  { serverCores, serverMainThreadCores }: LimitFigures,
  { serverThreads }: Surroundings,
): string {
  const threads = `${serverThreads ?? 'an unknown number of'} thread${serverThreads === 1 ? '' : 's'}`;
  const all = serverCores === null ? undefined : `${serverCores.toFixed(2)} cores with ${threads}`;
  if (serverMainThreadCores === null) return all === undefined ? 'server CPU not known' : `server ${all}`;
  const main = `server main thread ${serverMainThreadCores.toFixed(2)} of a core`;
  return all === undefined || serverThreads === 1 ? main : `${main}, all of it ${all}`;
}
