import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { notWritable } from '../../src/main/run/results/results-folder.ts';
import { connectError } from '../../src/main/server/connect-error.ts';
import { loopback } from '../support/connections.ts';
import { createExperiment, unhurried } from '../support/experiment.ts';
import { shareServer } from '../support/servers.ts';

const cli = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

/** Checks a small config under a shell's words, in which "$@" is the command. */
async function checkUnder(words: string, scenario: object = {}): Promise<{ code: number; stderr: string }> {
  const { url } = await shareServer();
  const { configPath, folder } = await createExperiment(url, {
    seconds: 0.2,
    scenarios: [{ client: 'wire', workers: 40, ...unhurried, ...scenario }],
  });
  const command = [process.execPath, cli, 'check', configPath];
  return await new Promise(resolve => {
    execFile('sh', ['-c', words, 'sh', ...command], { cwd: folder }, (error, _, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stderr });
    });
  });
}

describe('what the system is short of is named, and is no defect', () => {
  test.for([
    { limit: 64, code: 3, says: /at least 128 files.*limit of 64/ },
    // 80 connections alone would have room: 96 files of its own, 16 of a thread, 81 sockets.
    {
      limit: 200,
      scenario: { cut: 'silent', cutEveryMs: 50 },
      code: 3,
      says: /opens 81 connections.*may open 200 files, and needs 369 .*ulimit -n 369/s,
    },
  ])('$limit open files, $scenario', async ({ limit, scenario, code, says }) => {
    const outcome = await checkUnder(`ulimit -n ${limit}; exec "$@"`, scenario);
    expect(outcome).toMatchObject({ code, stderr: expect.stringMatching(says) });
    expect(outcome.stderr).not.toMatch(/defect/);
  });

  test.for([
    ['EMFILE', 'TARGET_TOO_SMALL'],
    ['ENFILE', 'TARGET_TOO_SMALL'],
    ['EACCES', 'RESULTS_NOT_WRITABLE'],
  ] as const)('%s of a socket or of a folder', async ([code, expected]) => {
    const error = Object.assign(new Error(`open: ${code}`), { code });
    expect(notWritable('a', error)).toMatchObject({ code: expected });
    if (expected === 'TARGET_TOO_SMALL')
      expect(await connectError(error, loopback(1), 100)).toMatchObject({ code: expected });
  });

  test('a full disk below a config that is written: nothing is left of it', async () => {
    const { folder } = await createExperiment('redis://localhost');
    // No file may be larger than 512 bytes.
    const words = `trap '' XFSZ; ulimit -f 1; exec "$@" < /dev/null`;
    const config = join(folder, 'kept.json');
    const code = await new Promise(resolve => {
      execFile('sh', ['-c', words, 'sh', process.execPath, cli, 'init', config], error =>
        resolve(error?.code),
      );
    });
    expect(code).toBe(2);
    expect(existsSync(config)).toBe(false);
  });

  test.runIf(existsSync('/dev/full'))('a full disk below the output', async () => {
    const { code, stderr } = await checkUnder('exec "$@" > /dev/full');
    expect(code, stderr).toBe(2);
    expect(stderr).toMatch(/could not be printed: the disk is full/);
    expect(stderr).not.toMatch(/defect/);
  });
});
