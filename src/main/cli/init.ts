import { createInterface } from 'node:readline';
import { asTypedHere, quote } from '../command-words.ts';
import { PoolbenchError } from '../errors.ts';
import { asIs, suggest } from '../experiment/nearest.ts';
import { type Asked, askedExperiment, configOf } from '../experiment/question.ts';
import { questionFlags } from '../experiment/question-flags.ts';
import { expectNoFile, writeConfig } from '../experiment/write-config.ts';

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** What can be compared, and its values if the answer is only a name. */
const comparable: Readonly<Record<string, string>> = {
  pools: '1,2',
  client: 'ioredis,wire',
  pool: 'baseline,optimized',
  pipeline: '1,10',
  'connections-per-worker': '1,2',
  'auto-pipelining': 'false,true',
};
const comparableNames = Object.keys(comparable);

/**
 * `poolbench init [FILE]`: asks four questions, and writes a config with a comment on every key. An empty answer takes the
 * default; on a terminal a wrong one is asked again. It asks nothing if the file cannot be written.
 *
 * @returns the exit code
 * @throws PoolbenchError USAGE for a wrong answer that was piped, or a file that exists; RESULTS_NOT_WRITABLE
 */
export async function init(path: string, input: Input): Promise<number> {
  await expectNoFile(path);
  const lines = createInterface({ input, terminal: false });
  const answers = lines[Symbol.asyncIterator]();
  const ask = async <Answer>(question: string, usual: string, read: (text: string) => Answer) => {
    for (;;) {
      process.stderr.write(`${question} [${usual}]: `);
      const { value, done } = await answers.next();
      if (input.isTTY !== true) process.stderr.write('\n');
      try {
        return read((done === true ? '' : String(value).trim()) || usual);
      } catch (error) {
        if (input.isTTY !== true || done === true || !(error instanceof PoolbenchError)) throw error;
        process.stderr.write(`${error.message}\n`);
      }
    }
  };
  try {
    const url = await ask('URL of the server', 'redis://localhost:6379', text => {
      askedExperiment(text, {});
      return text;
    });
    const accept =
      (asked: Asked, name: string) =>
      (text: string): Asked => {
        const next = { ...asked, [name]: text };
        askedExperiment(url, next);
        return next;
      };
    const compared = await ask(
      `What to compare (${comparableNames.join(', ')}; to choose the values: pools 1,2,4)`,
      'pools',
      text => {
        const { name, list } = readCompared(text);
        return { name, asked: accept({}, name)(list) };
      },
    );
    const workers = await ask(
      'Concurrent workers, one number or a list',
      compared.name === 'pools' ? '50,100' : '50',
      accept(compared.asked, 'workers'),
    );
    const clients = questionFlags.client?.values.join(', ') ?? '';
    const asked =
      compared.name === 'client'
        ? workers
        : await ask(`Client (${clients})`, 'ioredis', accept(workers, 'client'));
    await writeConfig(path, configOf(url, asked));
  } finally {
    lines.close();
  }
  process.stderr.write(`Written: ${path}\nTo run it: ${asTypedHere(quote(path))}\n`);
  return 0;
}

/** "client", or "pools 1,2,4". @throws PoolbenchError USAGE */
function readCompared(text: string): { name: string; list: string } {
  const [name = '', list] = text.split(/[\s=]+/);
  const usual = comparable[name];
  if (usual === undefined)
    throw new PoolbenchError(
      'USAGE',
      `expected ${comparableNames.join(', ')}, found ${name}${suggest(name, comparableNames, asIs)}`,
    );
  return { name, list: list ?? usual };
}
