import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests that measure CPU or the instant at which something happens: whatever runs beside them is in their figures. */
const timing = ['test/timing/**/*.test.ts'];

/**
 * Whole runs first: they take the longest, and one that came last would have the machine to itself. Without this a fresh
 * clone, which knows no durations, begins with the largest files.
 */
class RunsFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isOfRuns = ({ moduleId }: TestSpecification) => moduleId.includes('/test/e2e/');
    return [...sorted.filter(isOfRuns), ...sorted.filter(file => !isOfRuns(file))];
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

export default defineConfig({
  test: {
    // Here and not among what is common, or it would run once a project.
    globalSetup: ['test/support/prepare.ts'],
    sequence: { sequencer: RunsFirst },
    projects: [
      {
        test: {
          ...common,
          name: 'behaviour',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...timing],
          // Two more than the cores they are meant for: whoever waits, for a server or for a window to pass, needs none.
          maxWorkers: 4,
          sequence: { groupOrder: 0 },
        },
      },
      {
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
