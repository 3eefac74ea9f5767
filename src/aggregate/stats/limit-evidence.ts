import type { LimitedBy } from '../result.ts';
import { formatCount, formatFraction, formatList, formatMs } from '../text/format.ts';
import type { LimitFigures, LoadEnvironment } from './limit-figures.ts';

/** From these values, the evidence mentions the garbage collector and a late event loop. */
const minGcRatio = 0.05;
const minDelayMs = 10;
/** Cores by which another thread of the server must exceed its main thread to be mentioned. */
const minOtherThread = 0.05;

/** The figures of every evidence, in this order. */
const figureNames = [
  'quota',
  'thread',
  'unserved',
  'server',
  'link',
  'trips',
  'machine',
  'waiting',
  'backlog',
] as const;
type Figure = (typeof figureNames)[number];

/** A label, the figures it rests on, and what they mean if that is not obvious. */
export interface Finding {
  readonly resource: LimitedBy['resource'];
  readonly by: readonly Figure[];
  readonly meaning?: string;
}

/** One line: the figures that decided, what they mean, and the other figures. */
export function describeEvidence(
  { by, meaning }: Finding,
  figures: LimitFigures,
  environment: LoadEnvironment,
): string {
  const describe = (names: readonly Figure[]) =>
    names.flatMap(name => phrases[name](figures, environment)).join(', ');
  const others = figureNames.filter(name => !by.includes(name));
  return `${describe(by)}${meaning === undefined ? '' : `: ${meaning}`}; ${describe(others)}`;
}

/** Each figure as text; nothing if it is unknown or does not matter. */
const phrases: Record<
  Figure,
  (figures: LimitFigures, environment: LoadEnvironment) => string | readonly string[]
> = {
  quota: ({ throttledRatio, throttledMs }) =>
    throttledRatio === null || throttledRatio === 0
      ? []
      : `a CPU quota stopped poolbench in ${formatFraction(throttledRatio)} of its periods` +
        (throttledMs ? `, for ${formatMs(throttledMs)} ms in a window` : ''),
  link: ({ link, linkRatio }) =>
    link === null || linkRatio === null
      ? []
      : `${link.name} carried ${formatFraction(linkRatio)} of its ${formatCount(link.speedMbps)} Mbit/s`,
  thread(figures, { threadsSharedWith = [] }) {
    const { threads, threadCores, fullestThreadCores, medianLoop, busiestLoop, spinRatio } = figures;
    const { gcRatio, maxGcMs, loopDelayP99Ms } = figures;
    const shared = threadsSharedWith.length === 0 ? '' : ` shared with ${formatList(threadsSharedWith)}`;
    const subject = (threads > 1 ? `median of ${threads} threads` : 'thread') + shared;
    const cores = threadCores === null ? '' : ` ${threadCores.toFixed(2)} of a core,`;
    const fullest = fullestThreadCores === null ? '' : `${fullestThreadCores.toFixed(2)} of a core, `;
    const busiest = threads > 1 ? ` (busiest ${fullest}${formatFraction(busiestLoop)})` : '';
    const spun = spinRatio === 0 ? '' : ` (and ${formatFraction(spinRatio)} spun until the next arrival)`;
    return [
      `${subject}${cores} event loop ${formatFraction(medianLoop)} busy${spun}${busiest}`,
      ...(gcRatio >= minGcRatio
        ? [`garbage collection ${formatFraction(gcRatio)} of the time, ${formatMs(maxGcMs)} ms at most`]
        : []),
      ...(loopDelayP99Ms >= minDelayMs ? [`event loop ${formatMs(loopDelayP99Ms)} ms late (p99)`] : []),
    ];
  },
  unserved: ({ threadWaitRatio, threads }) =>
    threadWaitRatio === null
      ? []
      : `${threads > 1 ? 'threads' : 'thread'} ready without a core ${formatFraction(threadWaitRatio)} of the time`,
  server(figures, { serverThreads, ioThreadsSpin = false }) {
    const { serverCores, serverMainThreadCores, serverFullestCores, serverFullestName } = figures;
    const threads = `${serverThreads ?? 'an unknown number of'} thread${serverThreads === 1 ? '' : 's'}`;
    const spinning = ioThreadsSpin ? ', which spin while they have nothing to do' : '';
    const all = serverCores === null ? [] : [`${serverCores.toFixed(2)} cores with ${threads}${spinning}`];
    // The main thread is measured twice, at slightly different instants.
    const isOther =
      serverFullestCores !== null && serverFullestCores > (serverMainThreadCores ?? 0) + minOtherThread;
    const fullest =
      isOther && serverThreads !== 1
        ? [`fullest thread ${serverFullestName} ${serverFullestCores.toFixed(2)} of a core`]
        : [];
    if (serverMainThreadCores === null) {
      const known = [...fullest, ...all];
      return known.length === 0 ? 'server CPU not known' : `server ${known.join(', all of it ')}`;
    }
    const main = `server main thread ${serverMainThreadCores.toFixed(2)} of a core`;
    return serverThreads === 1
      ? main
      : [main, ...fullest, ...all.map(text => `all of it ${text}`)].join(', ');
  },
  trips: ({ serviceMs, basePingMs }) =>
    `${formatMs(serviceMs)} ms per batch${basePingMs === null ? '' : `, a PING before the load ${formatMs(basePingMs)} ms`}`,
  machine({ clientCores, serverCores, cpus, busyRatio, clientCpus, clientCpusBusyRatio }, { local }) {
    const server = local && serverCores !== null ? `, server ${serverCores.toFixed(2)}` : '';
    const used = `client ${clientCores.toFixed(2)}${server} of ${formatCount(cpus)} cores`;
    const busy =
      busyRatio === null ? 'CPU of the machine not known' : `machine ${formatFraction(busyRatio)} busy`;
    const isPinned = clientCpus !== null && clientCpus < cpus;
    const pinned = isPinned
      ? [
          `poolbench may use ${formatCount(clientCpus)} of them` +
            (clientCpusBusyRatio === null ? '' : `, ${formatFraction(clientCpusBusyRatio)} busy`),
        ]
      : [];
    return [`${busy} (${used})`, ...pinned];
  },
  waiting: ({ waitingRatio, waitingMs, peakWaiting }) =>
    `${formatFraction(waitingRatio)} of the response time (${formatMs(waitingMs)} ms) waiting for a connection` +
    (peakWaiting > 0 ? `, up to ${peakWaiting} waiting` : ''),
  backlog: ({ backlog }) =>
    backlog === 0 ? [] : `up to ${formatCount(backlog)} due while all workers were busy`,
};
