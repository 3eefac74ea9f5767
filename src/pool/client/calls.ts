import { codeOf } from '../errors.ts';
import {
  type Batch,
  type CommandSet,
  type CommandTemplate,
  KEY,
  keyName,
  requestsOfCommand,
  type TemplateRequest,
} from './batch.ts';

// For clients that take a request as a list of arguments, and make a value of its reply.

/** Name and arguments of one command of a batch, as `call` of ioredis takes them. The command has one request. */
export function callOf(
  set: CommandSet,
  batch: Batch,
  index: number,
): [name: string, args: (string | Buffer)[]] {
  const command = set.commands[batch.commandAt(index)] as CommandTemplate;
  return [command.name, textsOf(set, command, batch, index, 0)];
}

/** Returns what makes a list of the name and the arguments of one command of a batch. Each command has one request. */
export function listMaker(set: CommandSet): (batch: Batch, index: number) => (string | Buffer)[] {
  const lists = set.commands.map(({ name, args }) => ({ args: [name, ...args] }));
  return (batch, index) => textsOf(set, lists[batch.commandAt(index)] as WithArgs, batch, index, 0);
}

type WithArgs = Pick<TemplateRequest, 'args'>;

/** Whether the command is sent in several requests, such as those of a transaction. */
export function hasSeveralRequests({ commands }: CommandSet, batch: Batch, index: number): boolean {
  return commands[batch.commandAt(index)]?.followedBy !== undefined;
}

/** Name and arguments of each request of one command of a batch. */
export function requestsAt(
  set: CommandSet,
  batch: Batch,
  index: number,
): [name: string, args: (string | Buffer)[]][] {
  let keys = 0;
  return requestsOfCommand(set.commands[batch.commandAt(index)] as CommandTemplate).map(request => {
    const args = textsOf(set, request, batch, index, keys);
    keys += request.args.filter(arg => arg === KEY).length;
    return [request.name, args];
  });
}

/** The outcome of a request, as a pipeline of ioredis reports it. */
export type Outcome = readonly [error: Error | null, value: unknown];

/**
 * Counts the outcome of one command of a batch, whose replies are those of a pipeline from `at` on: of several the first
 * error, also at any depth inside the last one, as a transaction reports those of its commands there.
 *
 * @returns where the replies to the next command are
 */
export function countCommand(
  batch: Batch,
  index: number,
  set: CommandSet,
  outcomes: readonly Outcome[],
  at: number,
  closedAs: string | undefined,
): number {
  const { followedBy } = set.commands[batch.commandAt(index)] as CommandTemplate;
  const last = at + (followedBy?.length ?? 0);
  let failure: unknown = null;
  for (let reply = at; reply <= last; reply++) failure ??= outcomes[reply]?.[0] ?? null;
  const value = outcomes[last]?.[1];
  if (last > at) failure ??= errorIn(value) ?? null;
  if (failure === null) batch.answered(value, index, set);
  else batch.fail(codeOf(failure, closedAs), 1, index);
  return last + 1;
}

/** The first error in a reply, at any depth. */
function errorIn(value: unknown): Error | undefined {
  if (!Array.isArray(value)) return value instanceof Error ? value : undefined;
  for (const element of value) {
    const error = errorIn(element);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** The arguments of a request, after others of the command that used up `keys` keys. */
function textsOf(
  { keyPrefix }: CommandSet,
  { args }: WithArgs,
  { numbers, stride }: Batch,
  index: number,
  keys: number,
): (string | Buffer)[] {
  const first = index * stride;
  let nextKey = first + keys;
  return args.map(arg => {
    if (arg === KEY) return keyName(keyPrefix, numbers[nextKey++] as number);
    if (typeof arg === 'string' || Buffer.isBuffer(arg)) return arg;
    if ('sameKey' in arg) return keyName(keyPrefix, numbers[first + arg.sameKey] as number);
    let text = '';
    for (const part of arg) text += typeof part === 'string' ? part : String(numbers[first + part]);
    return text;
  });
}
