import { afterEach, expect, test, vi } from 'vitest';
import { asTypedHere, resumeRunCommand } from '../src/main/cli/command-words.ts';

const { argv } = process;

afterEach(() => {
  vi.unstubAllEnvs();
  process.argv = argv;
});

test.each([
  ['start', '/a/dist/main/cli.js', 'npm start -- claims redis', 'npm start -- --help'],
  ['claims', '/a/dist/main/cli.js', 'npm run claims -- redis', 'npm start -- --help'],
  ['npx', '/a/node_modules/.bin/poolbench', 'npx poolbench claims redis', 'npx poolbench --help'],
  [undefined, '/usr/local/bin/poolbench', 'poolbench claims redis', 'poolbench --help'],
  [undefined, 'dist/main/cli.js', 'node dist/main/cli.js claims redis', 'node dist/main/cli.js --help'],
])('called by %s as %s: %s', (script, program, claims, help) => {
  vi.stubEnv('npm_lifecycle_event', script);
  process.argv = ['node', program];
  expect(asTypedHere('claims', 'redis')).toBe(claims);
  expect(asTypedHere('--help')).toBe(help);
});

test('what a shell would take apart is quoted', () => {
  vi.stubEnv('npm_lifecycle_event', 'start');
  expect(resumeRunCommand("results/it's mine", { standInAllowed: false, force: true })).toBe(
    "npm start -- run --resume 'results/it'\\''s mine' --no-stand-in --force",
  );
});
