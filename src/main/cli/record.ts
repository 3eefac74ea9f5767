import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { maxSpeed, minSpeed } from '../../aggregate/scenario/arrival.ts';
import { limits } from '../../aggregate/scenario/limits.ts';
import {
  formatCount,
  formatDuration,
  formatFraction,
  formatPlural,
  toPlainLines,
} from '../../aggregate/text/format.ts';
import { foundInstead } from '../../workers/found-instead.ts';
import { asTypedHere, quote } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { secondsOfText } from '../experiment/overrides.ts';
import { checkConfig } from '../experiment/read-config.ts';
import { type FittedRecording, fitRecording } from '../experiment/recording/fit-recording.ts';
import { minAccesses } from '../experiment/recording/key-popularity.ts';
import { literalReplay } from '../experiment/recording/literal-replay.ts';
import { expectNoFile, writeConfig, writeNewFile } from '../experiment/write-config.ts';
import { onInterrupt } from '../interrupt.ts';
import type { Options } from '../options.ts';
import { connectControl, isRefusal } from '../server/control.ts';
import { type Monitored, recordMonitor } from '../server/monitor.ts';
import { expectServer, infoNumber } from '../server/server-info.ts';
import { parseAddress, shownAddress, withoutPassword } from '../server/url.ts';

const usualSeconds = 10;
const maxSeconds = 600;
const maxCommands = 1_000_000;
const maxBytes = 256 * 2 ** 20;
/** A server that runs more commands per second is recorded only with --force. */
const busyOpsPerSecond = 10_000;
const timeoutMs = 5000;
const usualFile = 'recording.json';

/**
 * `poolbench record URL` and `poolbench record FILE`: writes a config with a load similar to that of a server, from
 * MONITOR or from a file with its output.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE; CONFIG_MISSING for a file that cannot be read; CONFIG_INVALID for one without commands;
 * NOTHING_MEASURED if the server ran none; TARGET_IN_USE if it is busy; RESULTS_NOT_WRITABLE; as `connectControl` and
 * `recordMonitor`
 */
export async function record(
  source: string,
  options: Options<'seconds' | 'out' | 'force' | 'literal' | 'speed'>,
): Promise<number> {
  const { out = usualFile, literal = false } = options;
  const speed = speedOf(options.speed);
  const replayFile = `${out.replace(/\.json$/, '')}.replay`;
  for (const file of [out, ...(literal ? [replayFile] : [])]) await expectNoFile(file);
  const isUrl = source.includes('://');
  const ofServers = (['seconds', 'force'] as const).filter(name => options[name] !== undefined);
  if (!isUrl && ofServers.length > 0)
    throw new PoolbenchError('USAGE', `expected no --${ofServers.join(', --')} with a file, found ${source}`);
  const { text, endedBy } = isUrl ? await recordServer(source, options) : await readRecordingFile(source);
  const fitted = fitRecording(text, speed);
  if (fitted === undefined) {
    const found = 'expected commands that poolbench can replay, found none';
    throw isUrl
      ? new PoolbenchError(
          'NOTHING_MEASURED',
          `${found}; record for a longer time (--seconds), while clients send commands`,
        )
      : new PoolbenchError(
          'CONFIG_INVALID',
          `${source}: ${found}; use a file with the output of redis-cli MONITOR, with lines such as ${exampleLine}`,
        );
  }
  checkConfig(fitted.config, 'the recording');
  say(describeFitted(fitted, { literal }));
  const end = ends[endedBy];
  if (end !== undefined) say(end);
  if (literal) {
    const { config, text, operations, tooLate } = literalReplay(fitted, basename(replayFile), speed);
    await writeNewFile(replayFile, text);
    await writeConfig(out, config);
    if (tooLate > 0)
      say(
        `The replay ends after ${formatDuration(limits.seconds)}, the max measured time. Left out: ${formatPlural(tooLate, 'later operation')}`,
      );
    say(`Written: ${replayFile}, with the order and instants of ${formatPlural(operations, 'operation')}`);
  } else await writeConfig(out, fitted.config);
  say(`Written: ${out}, without keys and values of the recording\nTo run it: ${asTypedHere(quote(out))}`);
  return endedBy === 'interrupt' ? 130 : 0;
}

/** @throws PoolbenchError USAGE */
function speedOf(typed = '1'): number {
  const speed = /^\d+(\.\d+)?$/.test(typed) ? Number(typed) : 0;
  if (speed >= minSpeed && speed <= maxSpeed) return speed;
  throw new PoolbenchError(
    'USAGE',
    `--speed: expected a number from ${minSpeed} to ${maxSpeed}, found ${typed}`,
  );
}

const exampleLine = '1700000000.123456 [0 127.0.0.1:50000] "GET" "a"';

/** How a recording ended, if not by --seconds. */
const ends: { readonly [End in Monitored['endedBy'] | 'file']?: string } = {
  commands: `The recording ended after ${formatCount(maxCommands)} commands.`,
  bytes: `The recording ended after ${maxBytes / 2 ** 20} MiB. Later commands are not in it.`,
  closed: 'The server closed the connection before the end of the recording.',
};

/** Prints text that may contain text from a file or a server. */
function say(line: string): void {
  process.stderr.write(`${toPlainLines(line)}\n`);
}

async function recordServer(
  url: string,
  { seconds, force = false }: Options<'seconds' | 'force'>,
): Promise<Monitored> {
  const duration = secondsOfText(seconds ?? String(usualSeconds)) ?? 0;
  if (duration <= 0 || duration > maxSeconds)
    throw new PoolbenchError(
      'USAGE',
      `--seconds: expected a time such as 30s or 5m, above 0 and up to ${maxSeconds} s, found ${seconds}`,
    );
  const address = addressOf(url);
  const control = await connectControl(address, { timeoutMs });
  try {
    await expectServer(control);
    const stats = await control.info('stats').catch((error: unknown) => {
      if (isRefusal(error)) return new Map<string, string>();
      throw error;
    });
    const rate = infoNumber(stats, 'instantaneous_ops_per_sec');
    say(
      'MONITOR makes the server send every command, with its keys and values, to poolbench. This takes server time for each command: a busy server can lose half of its throughput.',
    );
    const found =
      rate === null
        ? 'a server that does not report its rate'
        : rate > busyOpsPerSecond
          ? `${formatCount(rate)} commands per second`
          : undefined;
    if (found !== undefined && !force)
      throw new PoolbenchError(
        'TARGET_IN_USE',
        `expected a server that runs at most ${formatCount(busyOpsPerSecond)} commands per second, found ${found}; record when the server is less busy, or use --force`,
      );
    say(
      `Recording ${shownAddress(control.server)}${rate === null ? '' : `, which runs ${formatPlural(rate, 'command')} per second,`} for ${formatDuration(duration)}`,
    );
    // It resolved the host: both connections go to the same server.
    return await recordWithInterrupt(control.answering, duration);
  } finally {
    control.close();
  }
}

async function recordWithInterrupt(
  address: Parameters<typeof recordMonitor>[0],
  seconds: number,
): Promise<Monitored> {
  const interrupt = new AbortController();
  const stopListening = onInterrupt(
    () => interrupt.abort(),
    () => say('stopping: the config will use what was recorded so far; press Ctrl-C again to end at once'),
  );
  try {
    return await recordMonitor(
      address,
      { seconds, commands: maxCommands, bytes: maxBytes },
      interrupt.signal,
    );
  } finally {
    stopListening();
  }
}

/** @throws PoolbenchError USAGE */
function addressOf(url: string) {
  try {
    return parseAddress(url);
  } catch (error) {
    throw new PoolbenchError('USAGE', `URL: ${(error as Error).message}, found ${withoutPassword(url)}`);
  }
}

/** The beginning of a file, up to the maximum size of a recording. A pipe does not report its size. */
async function readRecordingFile(path: string): Promise<{ text: string; endedBy: 'bytes' | 'file' }> {
  try {
    const chunks: Buffer[] = [];
    // One byte more shows that there are more.
    for await (const chunk of createReadStream(path, { end: maxBytes })) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const text = bytes.toString('latin1', 0, maxBytes);
    return bytes.length > maxBytes
      ? { text: text.slice(0, text.lastIndexOf('\n') + 1), endedBy: 'bytes' }
      : { text, endedBy: 'file' };
  } catch (cause) {
    throw new PoolbenchError(
      'CONFIG_MISSING',
      `${path}: expected a file with the output of redis-cli MONITOR, found ${foundInstead(cause)}`,
      { cause },
    );
  }
}

const maxShown = 8;

/** Describes what was recorded, what the config contains, and what is left out. */
function describeFitted(
  { recording, families, tooRare }: FittedRecording,
  { literal }: { readonly literal: boolean },
): string {
  const { operations, commands, clients, databases, seconds, insideScripts, unreadable, leftOut } = recording;
  const left = [...leftOut].sort(([, a], [, b]) => b.count - a.count);
  const all = operations.length + left.reduce((sum, [, { count }]) => sum + count, 0);
  const ofAll = (count: number) => formatFraction(count / all);
  const names = new Map<string, number>();
  for (const { form } of operations) names.set(form.name, (names.get(form.name) ?? 0) + 1);
  const mix = [...names].sort(([, a], [, b]) => b - a);
  const shown = mix.slice(0, maxShown).map(([name, count]) => `${name} ${ofAll(count)}`);
  return [
    `Recorded: ${formatPlural(commands, 'command')} of ${formatPlural(clients, 'client')} in ${seconds.toFixed(1)} s`,
    `In the config: ${shown.join(', ')}${mix.length > maxShown ? `, and ${formatPlural(mix.length - maxShown, 'other command')}` : ''}`,
    ...left
      .slice(0, maxShown)
      .map(([name, { count, reason }]) => `Left out: ${name.slice(0, 40)} ${ofAll(count)} (${reason})`),
    ...(left.length > maxShown ? [`Left out: ${formatPlural(left.length - maxShown, 'other command')}`] : []),
    ...(tooRare > 0
      ? [`Left out: ${ofAll(tooRare)} of the commands, because their forms are too rare for the mix`]
      : []),
    ...(insideScripts > 0
      ? [`Left out: ${formatPlural(insideScripts, 'command')} that scripts ran on the server`]
      : []),
    ...(unreadable > 0 ? [`Ignored: ${formatPlural(unreadable, 'line')} without a command`] : []),
    ...(databases > 1 ? [`The commands used ${databases} databases; the config puts all keys into one`] : []),
    ...(literal ? [] : families.flatMap(describeKeys)),
  ].join('\n');
}

function describeKeys({
  family,
  seen,
  accesses,
  keys,
  choice,
  distance,
}: FittedRecording['families'][number]): string[] {
  const { kind, ...parameters } = choice;
  const of = Object.entries(parameters).map(([name, value]) => `${name} ${value}`);
  const fitted = `Keys (${family}): ${[kind, ...of].join(', ')}, over ${formatPlural(keys, 'key')}; the recording has ${formatCount(seen)}.`;
  if (accesses < minAccesses)
    return [
      `${fitted} Which of them are popular is unknown: the recording has fewer than ${minAccesses} accesses to them`,
    ];
  return [
    `${fitted} Rank-frequency distance: ${distance.toFixed(3)}`,
    ...(distance > poorDistance
      ? [
          `No keyChoice of poolbench fits the recorded popularity of these keys: the distance is above ${poorDistance}`,
        ]
      : []),
  ];
}

/** Above this distance, the popularity of the keys visibly differs. */
const poorDistance = 0.05;
