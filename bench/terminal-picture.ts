import { readFile, writeFile } from 'node:fs/promises';

/**
 * Makes a picture of a run in a terminal, as docs/images/terminal.svg. Record the run in a terminal of 83 columns and 50 rows:
 * `script -qc 'stty cols 83 rows 50; npm start -s -- configs/redis.json' record.txt`. Then
 * `npx tsx bench/terminal-picture.ts record.txt picture.svg 'npm start -- configs/redis.json' [PART]`, with the part of the
 * run, 0 to 1, after which its view is shown.
 */
const [record, picture, command, part = '0.5'] = process.argv.slice(2);
if (record === undefined || picture === undefined || command === undefined) {
  console.error(
    'expected the paths of a record and of the picture, and the command, found too few arguments',
  );
  process.exit(2);
}

const columns = 83;
const cell = { width: 8.4, height: 18 };
const left = 18;
const top = 44;
const background = '#0d1117';
/** By the codes of a terminal: bold, dim, and the colours that the view has. */
const looks: Readonly<Record<string, string>> = {
  1: 'font-weight="bold"',
  2: 'fill="#8b949e"',
  31: 'fill="#ff7b72"',
  32: 'fill="#7ee787"',
  33: 'fill="#e3b341"',
  35: 'fill="#d2a8ff"',
  36: 'fill="#56d4dd"',
};

const escapeCode = '\u001b';
const text = (await readFile(record, 'utf8')).replaceAll('\r\n', '\n');
// The view hides the cursor once, and goes up to its first line before it is painted again.
const [before = '', run = ''] = text.split(`${escapeCode}[?25l`);
const views = run.split(new RegExp(`\\r${escapeCode}\\[\\d+A`));
const view = views[Math.floor((views.length - 1) * Number(part))] ?? '';
const plan = before.split('\n').filter(line => !line.startsWith('Script started'));
const lines = [
  `$ ${command}`,
  ...plan.join('\n').trim().split('\n'),
  ...(view.split(`${escapeCode}[J`)[0] ?? '').trimEnd().split('\n'),
];
const height = top + lines.length * cell.height;
const width = Math.round(2 * left + columns * cell.width);
await writeFile(
  picture,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="poolbench in a terminal: the plan of a run, and below it the live view with progress, throughput and p99 as moving charts, busy threads, pools and failures"><rect width="${width}" height="${height}" rx="10" fill="${background}"/><g fill="#30363d"><circle cx="20" cy="16" r="5"/><circle cx="38" cy="16" r="5"/><circle cx="56" cy="16" r="5"/></g><g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="#e6edf3">${lines.map(drawLine).join('')}</g></svg>\n`,
);

/** A text for each piece of one look. */
function drawLine(line: string, row: number): string {
  let look = '';
  let column = 0;
  return line
    .split(new RegExp(`${escapeCode}\\[([\\d;]*)[mK]`))
    .map((piece, index) => {
      if (index % 2 === 1) {
        look = looks[piece] ?? '';
        return '';
      }
      const blanks = piece.length - piece.trimStart().length;
      const shown = piece.trim();
      const x = (left + (column + blanks) * cell.width).toFixed(1);
      column += piece.length;
      if (shown === '') return '';
      const attributes = [
        `x="${x}"`,
        `y="${top + row * cell.height}"`,
        `textLength="${(shown.length * cell.width).toFixed(1)}"`,
        look,
      ];
      return `<text ${attributes.filter(one => one !== '').join(' ')} xml:space="preserve">${escapeText(shown)}</text>`;
    })
    .join('');
}

function escapeText(shown: string): string {
  return shown.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
