import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { startRedis, type TestServer } from '../support/servers.ts';
import { runOnTerminal, type TerminalOptions } from '../support/terminal.ts';

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const ctrlC = '\u0003';

let server: TestServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

async function start(config: Record<string, unknown>, options: Partial<TerminalOptions> = {}) {
  const { configPath, folder } = await createExperiment(server.url, config);
  const args = ['run', configPath, '--out', join(folder, 'results')];
  return runOnTerminal(args, { columns: 80, rows: 24, ...options });
}

// Other systems have another `script`.
describe.skipIf(process.platform !== 'linux')('on a terminal', () => {
  test('the view is painted over, Ctrl-C stops the run, and the cursor is there again', async () => {
    const terminal = await start({ seconds: 3600 });
    await terminal.said('measuring');
    terminal.press(ctrlC);
    await terminal.said('stopping');
    expect(await terminal.ended).toBe(130);
    const shown = terminal.shown();
    expect(shown).toContain(hideCursor);
    expect(shown).toMatch(/round 1\/1 {2}1\/1.*ops\/s.*p99 ms.*threads.*pools.*failed/s);
    expect(shown.indexOf('Plan:')).toBeLessThan(shown.indexOf(hideCursor));
    const after = shown.slice(shown.lastIndexOf(showCursor));
    expect(after).toContain('INCOMPLETE');
    expect(after).toContain('Written:');
    expect(after).not.toContain(hideCursor);
  });

  test('without colours there are none; without room there is one line, which goes when the run is over', async () => {
    const plain = await start({ seconds: 0.6 }, { columns: 50, env: { NO_COLOR: '1' } });
    expect(await plain.ended).toBe(0);
    expect(plain.shown()).toContain('round 1/1  1/1');
    expect(plain.shown()).not.toMatch(/threads +\d/);
    expect(plain.shown().slice(plain.shown().lastIndexOf(showCursor))).toContain('Written:');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    expect(plain.shown()).not.toMatch(/\u001b\[[\d;]*m/);
  });
});
