import type { RoundResult } from '../../aggregate/result.ts';
import { sumOf } from '../../aggregate/stats/statistics.ts';
import { formatCount, formatPlural } from '../../aggregate/text/format.ts';
import { keyName } from '../../pool/client/batch.ts';
import type { WorkloadTask } from '../../workers/contract.ts';
import { streamSeed } from '../../workers/prng.ts';
import {
  changingCommands,
  type Element,
  elementNumbers,
  familyOfElements,
  familyRow,
  namedElements,
  namedGroups,
  requestsOf,
} from '../../workers/workload/families.ts';
import { keyRanges } from '../../workers/workload/keys.ts';
import { IndexOrder } from '../../workers/workload/records.ts';
import { AliasTable, Draws } from '../../workers/workload/samplers.ts';
import { valueTexts } from '../../workers/workload/values.ts';
import { PoolbenchError } from '../errors.ts';
import { type Control, isRefusal, type Outcome, type Request } from './control.ts';
import { type KeySpace, refusalAmong } from './key-space.ts';
import { lifeOf } from './server-info.ts';
import { ServerScripts } from './server-scripts.ts';

/** What was found and done before a measurement. */
type Readiness = NonNullable<RoundResult['dataSet']>;

interface DataSetParts {
  readonly seed: number;
  readonly workload: WorkloadTask;
  /** Libraries of functions that FCALL can call. */
  readonly functions?: readonly string[] | undefined;
  /** Ends the writing early. */
  readonly signal?: AbortSignal;
  /** Called with each caveat. */
  readonly warn: (line: string) => void;
}

const maxRequests = 1000;
const maxChunkBytes = 4 << 20;
const maxMembersOfRequest = 100;
const samplesPerFamily = 100;

/**
 * What may be written again before every measurement: about a second's work of the coordinator. A larger data set that
 * the load changes stays as the last measurement has left it, and gives no verdict.
 */
const maxRewritten = { elements: 100_000, bytes: 64 << 20 };

/**
 * The keys that exist before the load, and the scripts that it calls: written once, checked before each measurement,
 * and restored if needed.
 */
export class DataSet {
  readonly #control: Control;
  readonly #space: KeySpace;
  readonly #parts: DataSetParts;
  readonly #scripts: ServerScripts;
  /** Commands of the load after which the data is another. */
  readonly #changedBy: readonly string[];
  readonly #isRewritten: boolean;
  /** Whether the server accepted all data the last time. If it refused, it is not asked again and again. */
  #isWritten = false;
  #life: string | undefined;
  #samples = 0;

  constructor(control: Control, space: KeySpace, parts: DataSetParts) {
    const { workload } = parts;
    this.#control = control;
    this.#space = space;
    this.#parts = parts;
    this.#scripts = new ServerScripts(control, workload.commands, parts.functions ?? []);
    // What grows is removed by its own rule, see `removeInserted`.
    this.#changedBy = workload.growth === null ? changingCommands(workload.commands) : [];
    const size = dataSize(workload);
    this.#isRewritten = size.elements <= maxRewritten.elements && size.bytes <= maxRewritten.bytes;
  }

  /**
   * Writes the data before the first measurement. Warns if the server refused any of it, if the number of keys in the
   * database did not grow by as many as were written, and if the load changes the data and it is too large to rewrite.
   * @throws PoolbenchError TARGET_LOST
   */
  async write(): Promise<void> {
    const { warn, workload, signal } = this.#parts;
    const unknown = commandsOnUnknownKeys(workload);
    if (unknown.length > 0)
      warn(
        `poolbench cannot write the keys of ${unknown.join(', ')} before the load, so reads find only what the load itself has written`,
      );
    this.#life = await lifeOfAll(this.#control);
    await this.#loadScripts();
    const before = await databaseSize(this.#control);
    const keys = await this.#writeAll();
    const after = await databaseSize(this.#control);
    if (
      keys !== null &&
      before !== null &&
      after !== null &&
      signal?.aborted !== true &&
      after - before !== keys
    )
      warn(
        `${formatCount(keys)} keys were written before the load, but the number of keys in the database went from ${formatCount(before)} to ${formatCount(after)}: another program uses it, or keys were evicted or already existed`,
      );
    if (this.#changedBy.length === 0 || this.#isRewritten) return;
    const { elements, bytes } = dataSize(workload);
    warn(
      `the load changes the data (by ${this.#changedBy.join(', ')}), and there is too much to write again before each measurement (${formatCount(elements)} elements, ${formatCount(Math.round(bytes / 2 ** 20))} MiB; the limits are ${formatCount(maxRewritten.elements)} and ${maxRewritten.bytes / 2 ** 20} MiB): each measurement begins with what the previous one has left, so the run gives no verdict; use fewer keys or members`,
    );
  }

  /**
   * Looks for the data before a measurement, and writes all of it again if the server is another one or has been
   * restarted, if keys are missing, or if the load has changed it.
   * @param before the measurement, as text
   * @returns null if the server does not report it, or does not answer
   */
  async ready(before: string): Promise<Readiness | null> {
    try {
      return await this.#ready(before);
    } catch (error) {
      // The target watch notices that it is gone.
      if (isRefusal(error) || error instanceof PoolbenchError) return null;
      throw error;
    }
  }

  /** Removes what is not removed with the keys: libraries of functions. Warns of what is left. @throws PoolbenchError TARGET_LOST */
  async removeFunctions(): Promise<void> {
    for (const line of await this.#scripts.remove()) this.#parts.warn(line);
  }

  async #loadScripts(): Promise<void> {
    for (const line of await this.#scripts.load()) this.#parts.warn(line);
  }

  async #ready(before: string): Promise<Readiness | null> {
    const { workload, warn } = this.#parts;
    const life = await lifeOfAll(this.#control);
    const isReplaced = life !== undefined && this.#life !== undefined && life !== this.#life;
    if (!this.#isWritten && !isReplaced) return { state: 'notAsPlanned', sampled: 0, missing: 0 };
    this.#life ??= life;
    const sample = await this.#sample();
    if (sample === null) return null;
    const { sampled, missing } = sample;
    const changes = this.#changedBy.length > 0;
    if (isReplaced || (missing > 0 && !changes)) {
      const found = `${formatCount(missing)} of ${formatPlural(sampled, 'sampled key')} were missing`;
      warn(
        isReplaced
          ? `before ${before}, the server had been restarted or replaced, and ${found}: ${rewritten(workload)} written again`
          : `before ${before}, ${found}, because another program removed them or the server evicted them: ${rewritten(workload)} written again`,
      );
    } else if (!changes) return { state: 'asPlanned', sampled, missing };
    else if (!this.#isRewritten) return { state: 'notAsPlanned', sampled, missing };
    if (isReplaced) await this.#loadScripts();
    const isRestored = (await this.#writeAll()) !== null;
    // Not before: a server that is lost while it is written to is found to be another one once more.
    this.#life = life ?? this.#life;
    const state = !isRestored ? 'notAsPlanned' : isReplaced || !changes ? 'restored' : 'rewritten';
    return { state, sampled, missing };
  }

  /** Looks for up to 100 keys of each family, other ones each time, in one round trip. Null if it is refused. */
  async #sample(): Promise<{ sampled: number; missing: number } | null> {
    const { workload } = this.#parts;
    const { prefix } = this.#space;
    const offset = (this.#samples++ * 0.618) % 1;
    if (workload.growth === 'index') {
      const [records] = await this.#control.pipeline([['ZCARD', keyName(prefix, 0)]]);
      if (records === undefined || 'error' in records) return null;
      const missing = Math.max(0, workload.keys - Number(records.value));
      return { sampled: workload.keys, missing };
    }
    const { families, prefilled } = keyRanges(workload);
    const names = families
      .filter(({ firstKey }) => firstKey < prefilled)
      .flatMap(({ firstKey, keys }) => {
        const length = Math.min(keys, samplesPerFamily);
        return Array.from({ length }, (_, index) =>
          keyName(prefix, firstKey + Math.floor(((index + offset) * keys) / length)),
        );
      });
    const outcomes = await this.#control.pipeline(names.map(name => ['EXISTS', name]));
    if (refusalAmong(outcomes) !== undefined) return null;
    return {
      sampled: names.length,
      missing: outcomes.filter(outcome => 'value' in outcome && Number(outcome.value) === 0).length,
    };
  }

  /** @returns the number of keys; null, after a warning, if the server refused all or some of them */
  async #writeAll(): Promise<number | null> {
    const { workload, warn, signal } = this.#parts;
    const isIndex = workload.growth === 'index';
    const keys = isIndex ? 1 : keyRanges(workload).prefilled;
    const requests = isIndex ? this.#indexRequests() : this.#keyRequests();
    let written = 0;
    let refused = 0;
    let reason: string | undefined;
    for (const chunk of chunksOf(requests)) {
      if (signal?.aborted === true) break;
      const outcomes = writesAmong(chunk, await this.#control.pipeline(chunk));
      const refusedHere = outcomes.filter(outcome => 'error' in outcome).length;
      written += outcomes.length - refusedHere;
      refused += refusedHere;
      reason ??= refusalAmong(outcomes);
      // A server that accepts nothing at first accepts nothing later: ten thousand refusals say no more than a
      // thousand.
      if (written === 0 && refused > 0) break;
    }
    this.#isWritten = refused === 0;
    if (refused === 0) return keys;
    if (written === 0)
      warn(`the server refused all writes of keys before the load, so reads will find nothing: ${reason}`);
    else
      warn(
        `the server refused ${formatCount(refused)} of ${formatCount(refused + written)} writes of keys before the load, so some reads will find nothing: ${reason}`,
      );
    return null;
  }

  /** Writes the keys of each family. Existing keys with these names were left by others, or are to be replaced. */
  *#keyRequests(): Generator<Request> {
    const { workload, seed } = this.#parts;
    const { commands } = workload;
    const { nextValue, perRequest } = drawValues(workload, seed);
    const groups = namedGroups(commands);
    const { families } = keyRanges(workload);
    const counters = families.find(({ family }) => family === familyOfElements) ?? { firstKey: 0, keys: 1 };
    for (const { family, firstKey, keys, members } of families) {
      const { write, hasMembers } = familyRow(family);
      const names = namedElements(commands, family);
      const numberOf = elementNumbers(commands, family, counters);
      const count = hasMembers ? Math.max(members, names.length) : 1;
      for (let number = firstKey; number < firstKey + keys; number++) {
        const key = keyName(this.#space.prefix, number);
        // Keys that poolbench cannot write are at least absent before every measurement.
        if (hasMembers || write === undefined) yield ['DEL', key];
        if (write === undefined) continue;
        for (let first = 0; first < count; first += perRequest) {
          const length = Math.min(perRequest, count - first);
          const elements = Array.from({ length }, (_, index): Element => {
            const element = first + index;
            const number = numberOf(element, names[element]);
            return { index: element, name: names[element] ?? number, value: number ?? nextValue() };
          });
          yield* write(key, elements);
        }
        // They deliver every entry that the stream has.
        if (family === 'streams') for (const group of groups) yield ['XGROUP', 'CREATE', key, group, '0'];
      }
    }
  }

  /** Writes the records of a workload that scans an index: members of the first key, as the load inserts them. */
  *#indexRequests(): Generator<Request> {
    const { workload, seed } = this.#parts;
    const { nextValue, perRequest } = drawValues(workload, seed);
    const order = new IndexOrder(workload.keys);
    const index = keyName(this.#space.prefix, 0);
    yield ['DEL', index];
    for (let first = 0; first < workload.keys; first += perRequest) {
      const members: (string | number)[] = [];
      for (let record = first; record < Math.min(first + perRequest, workload.keys); record++) {
        const score = order.scoreOf(record);
        members.push(score, `${score}:${nextValue()}`);
      }
      yield ['ZADD', index, ...members];
    }
  }
}

/** Names of the commands whose keys poolbench cannot write. */
function commandsOnUnknownKeys({ commands }: WorkloadTask): string[] {
  const unknown = requestsOf(commands).filter(({ family }) => familyRow(family).write === undefined);
  return [...new Set(unknown.map(({ request }) => request.name))];
}

/** Elements of all keys, and their bytes. */
export function dataSize(workload: WorkloadTask): { readonly elements: number; readonly bytes: number } {
  const { commands, growth, values } = workload;
  const elementsOf = keyRanges(workload).families.map(({ family, keys, members }) => {
    const { hasMembers } = familyRow(family);
    return keys * (hasMembers ? Math.max(members, namedElements(commands, family).length) : 1);
  });
  const elements = growth === null ? sumOf(elementsOf, count => count) : workload.keys;
  const weights = values.reduce((sum, { weight }) => sum + weight, 0);
  const meanBytes = values.reduce(
    (sum, { weight, value }) =>
      sum + (weight / weights) * ('bytes' in value ? value.bytes : Buffer.byteLength(value.text)),
    0,
  );
  return { elements, bytes: elements * meanBytes };
}

/** "all 200 keys were". */
function rewritten(workload: WorkloadTask): string {
  if (workload.growth === 'index') return `all ${formatPlural(workload.keys, 'record')} were`;
  return `all ${formatPlural(keyRanges(workload).prefilled, 'key')} were`;
}

/** Groups of requests that are sent together. */
function* chunksOf(requests: Iterable<Request>): Generator<Request[]> {
  let chunk: Request[] = [];
  let bytes = 0;
  for (const request of requests) {
    const size = request.reduce((sum: number, argument) => sum + String(argument).length, 0);
    if (chunk.length > 0 && (chunk.length === maxRequests || bytes + size > maxChunkBytes)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(request);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/** The outcomes of all requests but those that make room: a user may not be allowed to do that. */
function writesAmong(requests: readonly Request[], outcomes: readonly Outcome[]): Outcome[] {
  return outcomes.filter((_, index) => requests[index]?.[0] !== 'DEL');
}

/** Values that the load writes, by their weights, and how many of them may be in one request. */
function drawValues(workload: WorkloadTask, seed: number): { nextValue: () => string; perRequest: number } {
  const values = valueTexts(workload, seed);
  const table = new AliasTable(values.map(({ fraction }) => fraction));
  const draws = new Draws(streamSeed(seed, 'prefill'));
  const maxBytes = Math.max(1, ...values.map(({ text }) => Buffer.byteLength(text)));
  return {
    nextValue: () => values[table.pick(draws.next())]?.text ?? '',
    perRequest: Math.max(1, Math.min(maxMembersOfRequest, Math.floor(maxChunkBytes / maxBytes))),
  };
}

/** Changes with every start of a server, and with the masters. Undefined if not known. */
async function lifeOfAll(control: Control): Promise<string | undefined> {
  const nodes = await control.findNodes();
  const lives = await Promise.all(
    nodes.map(node =>
      lifeOf(node).catch((error: unknown) => {
        if (isRefusal(error)) return undefined;
        throw error;
      }),
    ),
  );
  return lives.includes(undefined) ? undefined : lives.toSorted().join(' ');
}

/** Keys that the server, or the masters of a cluster together, hold. Null if this user may not ask. */
async function databaseSize(control: Control): Promise<number | null> {
  try {
    const sizes = await Promise.all(control.nodes.map(node => node.call('DBSIZE')));
    return sizes.reduce((sum: number, size) => sum + Number(size), 0);
  } catch (error) {
    if (isRefusal(error)) return null;
    throw error;
  }
}
