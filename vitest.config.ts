import { configDefaults, defineConfig } from 'vitest/config';

/** Tests that measure CPU or the instant at which something happens: whatever runs beside them is in their figures. */
const alone = 'test/alone/**/*.test.ts';

export default defineConfig({
  test: {
    globalSetup: ['test/support/prepare.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Clients, servers and what else runs here share two cores: whoever loses his at the wrong instant gets another
    // chance. What is wrong fails every time.
    retry: 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, alone],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: [alone], maxWorkers: 1, retry: 2, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
