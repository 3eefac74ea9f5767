import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

interface Step {
  readonly instruction: string;
  readonly flags: readonly string[];
  readonly words: readonly string[];
  /** All that follows the instruction. */
  readonly text: string;
}

/** The steps of each stage; `FROM` is the first of them. */
function stagesOf(dockerfile: string): Step[][] {
  const lines = dockerfile
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(line => line.trim() !== '');
  const stages: Step[][] = [];
  for (const line of lines) {
    const [instruction = '', ...rest] = line.trim().split(/\s+/);
    const flags = rest.filter(word => word.startsWith('--'));
    const step = { instruction, flags, words: rest.slice(flags.length), text: rest.join(' ') };
    if (instruction === 'FROM') stages.push([]);
    stages.at(-1)?.push(step);
  }
  return stages;
}

const stages = stagesOf(read('Dockerfile'));
const last = stages.at(-1) ?? [];
const nameOf = ([from]: readonly Step[]) => from?.words[2];
const steps = (stage: readonly Step[], instruction: string) =>
  stage.filter(step => step.instruction === instruction);

test('every file that is copied exists, and reaches the engine', () => {
  const [first, ...ignored] = read('.dockerignore')
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('#'));
  expect(first).toBe('*');
  const excepted = ignored.flatMap(line => (line.startsWith('!') ? [line.slice(1)] : []));
  const copied = stages
    .flatMap(stage => steps(stage, 'COPY'))
    .filter(({ flags }) => flags.length === 0)
    .flatMap(({ words }) => words.slice(0, -1));
  expect(copied.filter(path => !existsSync(join(root, path)))).toEqual([]);
  expect([...new Set(copied)].toSorted()).toEqual(excepted.toSorted());
});

test('what is copied from a stage comes from an earlier one, which has made it', () => {
  const copies = steps(last, 'COPY').filter(({ flags }) => flags.length > 0);
  expect(new Set(copies.map(({ flags }) => flags[0]))).toEqual(
    new Set(['--from=build', '--from=dependencies']),
  );
  for (const { flags, words } of copies) {
    const stage = stages.find(one => nameOf(one) === flags[0]?.replace('--from=', '')) ?? [];
    const [workdir] = steps(stage, 'WORKDIR');
    const [from = '', to] = words;
    expect(from).toBe(`${workdir?.text}/${to}`);
    expect(stages.indexOf(stage)).toBeLessThan(stages.length - 1);
  }
  // Compiled where the image is built; what has a binary comes from the architecture that it is for.
  const built = stages.filter(([from]) => from?.flags.includes('--platform=$BUILDPLATFORM'));
  expect(built.map(nameOf)).toEqual(['build']);
});

test('it is a slim Debian of a Node that the package takes, and runs nothing as root', () => {
  const images = new Set(stages.map(([from]) => from?.words[0]));
  expect([...images]).toEqual([expect.stringMatching(/^node:\d+-\w+-slim$/)]);
  const { engines, bin } = JSON.parse(read('package.json'));
  const [image = ''] = images;
  expect(Number(/\d+/.exec(image)?.[0])).toBeGreaterThanOrEqual(Number(/\d+/.exec(engines.node)?.[0]));
  const user = last.findLastIndex(({ instruction }) => instruction === 'USER');
  expect(last[user]?.words).toEqual([expect.not.stringMatching(/^(root|0)\b/)]);
  expect(last.slice(user).some(({ instruction }) => ['RUN', 'COPY'].includes(instruction))).toBe(false);

  // Without a shell, which would keep signals to itself, and under an init.
  const [entry] = steps(last, 'ENTRYPOINT');
  expect(JSON.parse(entry?.text ?? '')).toEqual(['tini', '--', 'node', `/poolbench/${bin.poolbench}`]);
  expect(steps(last, 'RUN').some(({ text }) => /apt-get install .*\btini\b/.test(text))).toBe(true);
  expect(steps(last, 'VOLUME').map(({ text }) => text)).toEqual(['/runs/results']);
  expect(steps(last, 'WORKDIR').at(-1)?.text).toBe('/runs');
});
