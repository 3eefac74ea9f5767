import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createExperiment } from '../support/experiment.ts';
import { shareServer } from '../support/servers.ts';
import { runOnTerminal } from '../support/terminal.ts';

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const ctrlC = '\u0003';

// Other systems have another `script`.
describe.skipIf(process.platform !== 'linux')('on a terminal', () => {
  test('the view is painted over, without colours if they are off; Ctrl-C stops the run, and the cursor is there again', async () => {
    const server = await shareServer();
    const { configPath, folder } = await createExperiment(server.url, { seconds: 3600 });
    const args = ['run', configPath, '--out', join(folder, 'results')];
    const terminal = runOnTerminal(args, { columns: 80, rows: 24, env: { NO_COLOR: '1' } });
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
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for.
    expect(shown).not.toMatch(/\u001b\[[\d;]*m/);
  });
});
