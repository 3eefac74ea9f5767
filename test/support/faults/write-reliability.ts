/**
 * `npm run reliability`: inflicts every fault, runs the tests of those that are gone through elsewhere, and writes
 * docs/reliability.md from what was seen. Nothing is written unless all of it passed.
 */
import { writeFile } from 'node:fs/promises';
import { startVitest } from 'vitest/node';
import { coveredElsewhere } from './covered-elsewhere.ts';
import { renderReliability } from './render-reliability.ts';

process.env.POOLBENCH_ALL_FAULTS = 'yes';
const inflicted = ['test/pool/client/faults.test.ts', 'test/e2e/faults-of-a-run.test.ts'];
const filters = [...new Set([...inflicted, ...coveredElsewhere.map(({ test }) => test)])];
const vitest = await startVitest('test', filters, { watch: false });
const modules = vitest.state.getTestModules();
const tests = modules.flatMap(module => [...module.children.allTests()]);
await vitest.close();

const notPassed = tests.filter(test => test.result().state === 'failed');
if (tests.length === 0 || notPassed.length > 0) {
  console.error(
    `Not written, because these did not pass:\n${notPassed.map(test => `  ${test.fullName}`).join('\n')}`,
  );
  process.exit(1);
}
const surroundings = `Last written on ${new Date().toISOString().slice(0, 10)}, with Node ${process.versions.node}.`;
const elsewhere = new Map(
  coveredElsewhere.map(({ fault, test: file, about = '' }) => {
    const states = tests
      .filter(test => test.module.moduleId.endsWith(`/${file}`) && test.fullName.startsWith(about))
      .map(test => test.result().state);
    const count = (state: string) => states.filter(one => one === state).length;
    return [fault, { passed: count('passed'), skipped: count('skipped') }];
  }),
);
const withoutTests = [...elsewhere].filter(([, { passed, skipped }]) => passed + skipped === 0);
if (withoutTests.length > 0) {
  console.error(
    `Not written, because no test is found for: ${withoutTests.map(([fault]) => fault).join('; ')}`,
  );
  process.exit(1);
}
const seen = tests.flatMap(test => test.meta().seen ?? []);
await writeFile(
  new URL('../../../docs/reliability.md', import.meta.url),
  renderReliability({ seen, elsewhere, surroundings }),
);
console.log('Written: docs/reliability.md');
process.exit(0);
