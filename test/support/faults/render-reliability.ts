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
  completed: 'exactly what completed',
  'completed and failed': 'exactly what completed and failed',
  'completed, and some that failed': 'what completed, and a part of what failed',
  nothing: 'is gone with the server',
};

/** What nobody can know, and so is not claimed. */
export const unknowable: Record<Known, string> = {
  completed: 'nothing',
  'completed and failed': 'nothing',
  'completed, and some that failed': 'which of those that failed it has run',
  nothing: 'which of those that failed it has run, and its own count',
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

What goes wrong, what poolbench makes of it, and what is lost. \`npm run reliability\` inflicts every fault of these tables on real servers
and writes this file from what it saw; a test fails when a fault is missing here. ${surroundings}

An operation is never lost: issued = completed + failed (by code) + unfinished. An operation whose reply was lost has failed, and is counted
by what ended its connection; whether the server ran it nobody on this side can know. So the server's own count (commandstats) lies
between completed and issued, and where no reply was lost, it is the same number. Beside the books, each row was held to this: as many
latencies as completed operations and none longer than the run, in every second of the series, too; no wait without an end; no connection
and no key left.

## A thread under load

One thread, four workers, batches of five commands, a real redis-server behind a proxy that can misbehave, and holds every reply back for
3 ms, so that the load leaves the machine room for others; a batch is given up after 5 s, or after 500 ms if the fault is a
silence. The fault comes 100 ms into the window.

${loadTable(loads)}

## A whole run

\`poolbench run\` with both clients in turn, and with two threads if the fault is of one thread. The fault comes when the second round begins.

${runTable(runs)}

## Tested elsewhere

In the run that wrote this file:

${elsewhereTable(elsewhere)}

## What is not covered

- A reply too many, in a stream that goes on: each later reply is taken for the one before it, and no client can tell. It is noticed as soon as
  nothing is in flight.
- A reply without end: \`wire\` keeps nothing of it; ioredis keeps what arrives until the time limit of the batch ends its connection.
- Rubbish that ioredis 6.0 cannot take: over a length such as \`$*\` its decoder can go round in circles, and on a push message whose first
  element is null it throws where nobody can catch it. No server sends either. A thread that hangs is given up after 30 seconds, and one that
  throws ends the run; \`wire\` has no such replies.
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
    column('what nobody can know', row => unknowable[row.fault.known]),
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
    column('it said', ({ found }) => found.said || 'nothing: it went on to its end'),
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
      return skipped === 0 ? `all ${passed}` : `${passed}; ${skipped} could tell nothing here and then`;
    }),
  ]);
}
