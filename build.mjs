// Compiles src to dist, unless dist was made of the very same sources: `npm start` would wait seconds for nothing. It needs
// nothing but Node, because it runs before anything is compiled. --noCheck leaves type errors to `npm run check`.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));
process.chdir(root);

/** The hash of the sources that dist was made of. Not their times: a checkout may make a source older. */
const stamp = 'dist/sources.sha256';

const filesIn = (folder, ending) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith(ending))
        .sort()
    : [];
const args = process.argv.slice(2);
const sources = filesIn('src', '.ts');
/** A package has types, too, with --declaration. Who starts poolbench does not wait for them. */
const endings = args.includes('--declaration') ? ['.js', '.d.ts'] : ['.js'];
const outputs = sources.flatMap(file => endings.map(ending => file.replace(/\.ts$/, ending)));

const hash = createHash('sha256');
const inputs = ['build.mjs', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
for (const file of [...inputs, ...sources.map(file => `src/${file}`)])
  hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
const hashed = hash.digest('hex');

const made = new Set(['.js', '.d.ts'].flatMap(ending => filesIn('dist', ending)));
const isWhole = outputs.every(file => made.has(file));
const compiler = 'node_modules/typescript/bin/tsc';
const isMadeOfThese = existsSync(stamp) && readFileSync(stamp, 'utf8') === hashed;
if (!isWhole || !isMadeOfThese) process.exitCode = compile();

/** @returns the exit code of the compiler */
function compile() {
  if (!existsSync(compiler)) {
    process.stderr.write(
      `poolbench: expected the packages that it needs in ${root}node_modules, found no ${compiler}; install them with: npm ci\n`,
    );
    return 2;
  }
  // A compiler that is interrupted leaves half of the new files.
  rmSync(stamp, { force: true });
  // It does not know that files of dist were removed.
  if (!isWhole) rmSync('dist/build.tsbuildinfo', { force: true });
  const known = new Set(outputs);
  for (const file of made) if (!known.has(file)) rmSync(`dist/${file}`);
  const tsc = [compiler, '-p', 'tsconfig.build.json', ...args];
  process.stderr.write('compiling the sources: about 10 s, and only after they changed\n');
  const { status } = spawnSync(process.execPath, tsc, { stdio: 'inherit' });
  if (status === 0) writeFileSync(stamp, hashed);
  return status ?? 1;
}
