import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig, type Plugin } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that measure CPU or the instant at which something happens: whatever runs beside them is in their figures. */
const timing = ['test/timing/**/*.test.ts'];
/** A test that changes what the sources are made of: its worker can be that of no other file. */
const apart = ['test/aggregate/scenario/new-dimension.test.ts'];

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * What tests import of src is what it is compiled to. Node loads that without vitest's transformation, once a worker, and the
 * command line, which most runs of the tests call in their own process, shares it and what V8 has optimised of it.
 */
const compiled: Plugin = {
  name: 'compiled-sources',
  enforce: 'pre',
  resolveId(source, importer) {
    if (importer === undefined || !source.endsWith('.ts')) return undefined;
    const path = relative(join(root, 'src'), resolve(dirname(importer), source));
    return path.startsWith('..') ? undefined : join(root, 'dist', path.replace(/\.ts$/, '.js'));
  },
};

/** Whole runs, and the one other file that takes as long: one that came last would have the machine to itself. */
const longest = ['/test/e2e/', '/test/pool/client/faults.test.ts'];

/** The longest files first. Without this a fresh clone, which knows no durations, begins with the largest ones. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => longest.some(path => moduleId.includes(path));
    // A worker ends where the next file is of another project: the one file of `apart` comes last.
    const isLast = ({ project }: TestSpecification) => project.name === 'apart';
    const rank = (file: TestSpecification) => (isLast(file) ? 2 : isLong(file) ? 0 : 1);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

const common = {
  // A machine that does much else takes its time; who is done is not held up by that.
  testTimeout: 90_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 20_000 } },
  // The files of a worker share its modules: to load the sources anew for each of them takes longer than most tests.
  isolate: false,
  // Run as it ships, and loaded once a worker.
  server: { deps: { external: [/\/dist\//, /\.mjs/] } },
};

const together = {
  // More than the cores they are meant for: whoever waits, for a server or for a window to pass, needs none.
  maxWorkers: 4,
  sequence: { groupOrder: 0 },
  // Threads and runs are too short here for the compilation of optimised code to pay, unless a function is really hot.
  execArgv: ['--interrupt-budget=600000'],
};

export default defineConfig({
  test: {
    // Here and not among what is common, or it would run once a project.
    globalSetup: ['test/support/prepare.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: [compiled],
        test: {
          ...common,
          ...together,
          name: 'behaviour',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...timing, ...apart],
        },
      },
      { plugins: [compiled], test: { ...common, ...together, name: 'apart', include: apart } },
      {
        plugins: [compiled],
        test: {
          ...common,
          name: 'timing',
          include: timing,
          maxWorkers: 1,
          retry: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
