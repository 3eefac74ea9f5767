import { type Column, codeSpan, words as column, table } from '../../../src/aggregate/report/blocks.ts';
import { renderMarkdown } from '../../../src/aggregate/report/markdown.ts';
import { formatCount, formatPlural } from '../../../src/aggregate/text/format.ts';
import type { ClientName } from '../connections.ts';
import { coveredElsewhere } from './covered-elsewhere.ts';
import type { Fault, Known, Seen } from './fault.ts';
import { networkFaults } from './network-faults.ts';
import type { RunFault, RunSeen } from './run-fault.ts';
import { runFaults } from './run-faults.ts';
import { serverFaults } from './server-faults.ts';

/** What a run of the whole suite has seen. */
interface Sight {
  readonly seen: readonly (Seen | RunSeen)[];
  /** By fault of {@link coveredElsewhere}: how many of its tests passed, and how many found that they can tell nothing here. */
  readonly elsewhere: ReadonlyMap<string, { readonly passed: number; readonly skipped: number }>;
  /** Where and when: one line. */
  readonly surroundings: string;
}

/** What the server's count can tell of a fault, for a reader. */
const words: Record<Known, string> = {
  completed: 'exactly completed',
  'completed and failed': 'exactly completed + failed',
  'completed, and some that failed': 'completed, plus some of the failed',
  nothing: 'lost with the server',
};

/** What nobody can know, and so is not claimed. */
export const unknowable: Record<Known, string> = {
  completed: 'nothing',
  'completed and failed': 'nothing',
  'completed, and some that failed': 'which failed operations it ran',
  nothing: 'which failed operations it ran, and its own count',
};

/** The loops in which a fault is gone through. */
export function loopsOf({ inOpenLoop }: Fault): readonly Seen['loop'][] {
  return inOpenLoop === true ? ['closed', 'open'] : ['closed'];
}

/** The whole of docs/reliability.md. */
export function renderReliability({ seen, elsewhere, surroundings }: Sight): string {
  const loads = seen.filter(one => one.kind === 'load');
  const runs = seen.filter(one => one.kind === 'run');
  return `# Reliability

What can go wrong, how poolbench reacts, and what is lost. \`npm run reliability\` inflicts every fault in these tables on real servers and
writes this file from the outcome; a test fails when a fault is missing here. ${surroundings}

Every operation is accounted for: issued = completed + failed (by code) + unfinished. An operation whose reply was lost has failed, and is
counted under the error that ended its connection; the client cannot know whether the server ran it. The server's own count (commandstats)
therefore lies between completed and issued, and equals completed if no reply was lost. Each row was also checked for this: as many latencies
as completed operations, none longer than the run, also in every second of the series; no endless wait; no connections or keys left.

## A thread under load

One thread, four workers, batches of five commands, a real redis-server behind a proxy that can misbehave, and holds every reply back for
10 ms, so that the load leaves the machine room for others; a batch is given up after 5 s, or after 500 ms if the fault is a
silence. The fault comes 100 ms into the window.

${loadTable(loads)}

## A whole run

\`poolbench run\` with both clients in turn, or with one if the first measurement that meets the fault is the last, and with two threads if the
fault affects one thread. The fault begins with the second round.

${runTable(runs)}

## Tested elsewhere

In the run that wrote this file:

${elsewhereTable(elsewhere)}

## What is not covered

- An extra reply in a continuing stream: every later reply is matched to the wrong command, and no client can tell. It is noticed as soon as
  nothing is in flight.
- An endless reply: \`wire\` stores nothing of it; ioredis stores what arrives until the timeout of the batch ends the connection.
- Garbage that ioredis 6.0 cannot handle: on a length such as \`$*\` its decoder can loop forever, and on a push message whose first element is
  null it throws an error that cannot be caught. No server sends either. A thread that hangs ends the run after 30 seconds, and one that throws
  ends it at once; \`wire\` has neither problem.
`;
}

function loadTable(seen: readonly Seen[]): string {
  const rows = [...networkFaults, ...serverFaults].flatMap(fault =>
    loopsOf(fault).map(loop => ({ fault, loop })),
  );
  const of = ({ fault, loop }: (typeof rows)[number], client: ClientName) => {
    const found = seen.find(one => one.fault === fault.name && one.loop === loop && one.client === client);
    if (found === undefined)
      throw new Error(`expected to have seen "${fault.name}" (${loop} loop, ${client})`);
    return found;
  };
  return markdownTable(rows, [
    column('fault', row => row.fault.name),
    column('loop', row => row.loop),
    column('ioredis', row => describe(of(row, 'ioredis'))),
    column('wire', row => describe(of(row, 'wire'))),
    column('operations lost', row => lostOf(of(row, 'ioredis'), of(row, 'wire'))),
    column('the server’s count', row => words[row.fault.known]),
    column('what cannot be known', row => unknowable[row.fault.known]),
  ]);
}

function markdownTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  return renderMarkdown([table(rows, columns)]).trimEnd();
}

/** "1,234 of 1,240 completed; 6 ECONNRESET; the server ran 1,238". */
function describe({ issued, completed, failed, unfinished, serverCalls }: Seen): string {
  return [
    `${formatCount(completed)} of ${formatCount(issued)} completed`,
    ...Object.entries(failed).map(([code, count]) => `${formatCount(count)} ${code}`),
    ...(unfinished === 0 ? [] : [`${formatCount(unfinished)} unfinished`]),
    ...(serverCalls === null || serverCalls === completed
      ? []
      : [`the server ran ${formatCount(serverCalls)}`]),
  ].join('; ');
}

function lostOf(...both: readonly Seen[]): string {
  const lost = both.map(({ issued, completed, failed, unfinished }) => {
    const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
    return issued - completed - failures - unfinished;
  });
  return lost.every(count => count === 0) ? 'none' : lost.join(' and ');
}

function runTable(seen: readonly RunSeen[]): string {
  const rows = runFaults.map(fault => {
    const found = seen.find(one => one.fault === fault.name);
    if (found === undefined) throw new Error(`expected to have seen "${fault.name}"`);
    return { fault, found };
  });
  return markdownTable(rows, [
    column('fault', ({ fault }) => fault.name),
    column('exit code', ({ found }) => String(found.exit)),
    column('error', ({ fault }) => errorOf(fault)),
    column('message', ({ found }) => found.said || 'nothing: it ran to the end'),
    column('kept', ({ found }) => `${formatPlural(found.kept, 'measurement')}`),
    column('left on the server', ({ fault, found }) =>
      found.keysLeft === 0 ? 'nothing' : `its keys: ${fault.keysLeft ?? 'a defect'}`,
    ),
  ]);
}

/** The code of its error. */
export function errorOf({ code, exit }: RunFault): string {
  return code ?? (exit === 0 ? 'none' : 'a defect');
}

function elsewhereTable(elsewhere: Sight['elsewhere']): string {
  return markdownTable(coveredElsewhere, [
    column('fault', ({ fault }) => fault),
    column('test', ({ test }) => [codeSpan(test)]),
    column('passed', ({ fault }) => {
      const { passed, skipped } = elsewhere.get(fault) ?? { passed: 0, skipped: 0 };
      return skipped === 0 ? `all ${passed}` : `${passed}; ${skipped} could not be judged here`;
    }),
  ]);
}
