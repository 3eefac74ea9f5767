import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, inject, type TestContext, test } from 'vitest';
import { bareMachine } from '../support/bare-machine.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';

const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in a network of its own, whose only address is ::1. */
function runWithoutIPv4(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const script = `
ip link set lo up && ip address delete 127.0.0.1/8 dev lo || exit 77
PATH="$PATH_OF_TEST" exec "$@"`;
  const all = { ...process.env, ...env };
  const options = { env: { ...all, PATH: inject('usersPath'), PATH_OF_TEST: all.PATH } };
  return new Promise(resolve => {
    execFile('unshare', ['-rn', 'sh', '-c', script, 'sh', ...command], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

/** Skips the test where this user may make no network. */
async function needNetwork(context: TestContext): Promise<void> {
  const { code, stderr } = await runWithoutIPv4(['echo']);
  if (code !== 0)
    context.skip(`no network without IPv4 can be made here: ${stderr.trim() || `exit code ${code}`}`);
}

const poolbench = (...words: readonly string[]) => [process.execPath, cli, ...words];

test('a machine that has only IPv6 starts the server, the proxy and the metrics on ::1, and measures', async context => {
  await needNetwork(context);
  const experiment = await createExperiment('redis://localhost:6390', {
    scenarios: [{ client: 'wire', workers: 2, cut: 'silent', cutEveryMs: 50, ...unhurried }],
    seconds: 0.2,
    timeoutMs: 1000,
    maxFailedShare: 1,
  });
  const out = ['--out', `${experiment.folder}/results`];
  const outcome = await runWithoutIPv4(poolbench('run', experiment.configPath, ...out, '--prometheus', '0'));
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stderr).toMatch(/http:\/\/\[::1\]:\d+\/metrics/);
  const { target, scenarios } = await experiment.result();
  expect(target).toMatchObject({ standIn: false, local: true });
  expect(target.foundBy).toMatch(/, started on \[::1\]:6390$/);
  for (const { id, rounds } of scenarios) expect(rounds[0]?.completed, id).toBeGreaterThan(0);
});

test('a URL with 127.0.0.1 is served on ::1 there, by the embedded server if need be', async context => {
  await needNetwork(context);
  const experiment = await createExperiment('redis://127.0.0.1:6391');
  const { folder, configPath } = experiment;
  const env = await bareMachine(folder);
  const outcome = await runWithoutIPv4(poolbench('check', configPath), env);
  expect(outcome.code, outcome.stderr).toBe(0);
  expect(outcome.stdout).toMatch(/embedded server, started on \[::1\]:6391/);
});
