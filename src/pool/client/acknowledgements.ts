import type { Batch, CommandSet } from './batch.ts';

/** An XACK that belongs to a command of a batch. */
export interface Acknowledgement {
  /** The index of the command that read the entries. */
  readonly index: number;
  readonly args: readonly [name: 'XACK', stream: string, group: string, ...ids: string[]];
}

/** Whether a command of the set acknowledges what it reads, so that replies must be kept. */
export function acknowledges({ commands }: CommandSet): boolean {
  return commands.some(({ acknowledges }) => acknowledges !== undefined);
}

/** What a batch has to acknowledge, by the replies to its commands; a failed command has none. */
export function acknowledgementsOf(
  batch: Batch,
  { commands }: CommandSet,
  replies: readonly unknown[],
): Acknowledgement[] {
  return replies.flatMap((reply, index) => {
    const group = commands[batch.commandAt(index)]?.acknowledges;
    if (group === undefined || batch.failedAs(index) !== undefined) return [];
    return streamsIn(reply).flatMap(([stream, entries]): Acknowledgement[] => {
      const ids = Array.isArray(entries) ? entries.map(entry => String((entry as unknown[])[0])) : [];
      return ids.length === 0 ? [] : [{ index, args: ['XACK', String(stream), group, ...ids] }];
    });
  });
}

/** Counts the outcomes of acknowledgements. A command whose entries are not acknowledged has failed. */
export function countAcknowledgements(
  batch: Batch,
  acknowledgements: readonly Acknowledgement[],
  codeOfOne: (place: number) => string | undefined,
): void {
  for (const [place, { index }] of acknowledgements.entries()) {
    const code = codeOfOne(place);
    if (code === undefined || batch.failedAs(index) !== undefined) continue;
    batch.completed--;
    batch.fail(code, 1, index);
  }
}

/** Streams and their entries in a reply to XREADGROUP: pairs in RESP2, a map in RESP3, which can be a list of keys and values. */
function streamsIn(reply: unknown): (readonly [stream: unknown, entries: unknown])[] {
  if (reply instanceof Map) return [...reply];
  if (typeof reply !== 'object' || reply === null) return [];
  if (!Array.isArray(reply)) return Object.entries(reply);
  if (Array.isArray(reply[0])) return reply.map((pair: unknown[]) => [pair[0], pair[1]] as const);
  return reply.flatMap((stream: unknown, at) => (at % 2 === 0 ? [[stream, reply[at + 1]] as const] : []));
}
