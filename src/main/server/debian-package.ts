import { access, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { findProgram, type Program } from './server-process.ts';
import { run, type Unpacking, unpackIntoCache } from './unpacked-program.ts';

/** A program that the distribution provides. */
interface PackagedProgram extends Unpacking {
  /** What to fetch, with all that they depend on and the system lacks. */
  readonly packages: readonly string[];
}

/**
 * Unpacks the distribution's packages into the user's cache folder: no root, nothing installed.
 *
 * @returns as {@link unpackIntoCache}
 */
export function unpackDebianPackages(
  { packages, ...program }: PackagedProgram,
  options: { say: (line: string) => void; runs: (program: Program) => Promise<boolean> },
): Promise<Program | { reason: string }> {
  return unpackIntoCache(program, {
    ...options,
    what: `${packages.join(', ')} from the distribution`,
    async whyNot() {
      for (const tool of ['apt-get', 'dpkg']) {
        if ((await findProgram(tool)) === undefined) return `no ${tool} here: not Debian or Ubuntu`;
      }
      return undefined;
    },
    async unpack(root, work, signal) {
      await download(packages, work, signal);
      for (const file of await readdir(join(work, 'packages'))) {
        await run('dpkg', ['-x', join(work, 'packages', file), root], { signal });
      }
    },
  });
}

/** Puts what is missing of the packages into `work`/packages; with lists of our own where the system's do not do. */
async function download(packages: readonly string[], work: string, signal: AbortSignal): Promise<void> {
  const into = join(work, 'packages');
  await mkdir(into);
  const fetch = async (options: readonly string[]): Promise<void> => {
    const simulate = ['-s', ...options, '--no-install-recommends', '--reinstall', 'install', ...packages];
    const plan = await run('apt-get', simulate, { cwd: into, signal });
    // "Inst name (version …" and, for an upgrade, "Inst name [old] (version …"
    const wanted = [...plan.matchAll(/^Inst (\S+) (?:\[[^\]]*\] )?\((\S+)/gm)].map(
      match => `${match[1]}=${match[2]}`,
    );
    if (wanted.length === 0) throw new Error('apt-get names no package to fetch');
    await run('apt-get', [...options, 'download', ...wanted], { cwd: into, signal });
  };
  // Without a network it should fail soon; and root's apt would drop to a user who may not write here.
  const common = ['-oAcquire::http::Timeout=10', '-oAcquire::Retries=0', '-oAPT::Sandbox::User='];
  try {
    await fetch(common);
  } catch {
    // The system's lists are empty, stale, or do not know the package: ours are made from its own source files.
    const sources = join(work, 'poolbench.sources');
    await writeFile(sources, await privateSources('/etc'));
    const lists = join(work, 'lists');
    const cache = join(work, 'cache');
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
    const options = [
      `-oDir::Etc::sourcelist=${sources}`,
      '-oDir::Etc::sourceparts=/dev/null',
      `-oDir::State::Lists=${lists}`,
      `-oDir::Cache=${cache}`,
      ...common,
    ];
    // One source that does not answer, or has no backports, need not keep the others from having the package.
    await run('apt-get', ['-q', ...options, 'update'], { signal }).catch(() => undefined);
    await fetch(options);
  }
}

/** A program at a path below `root`, with the libraries that were unpacked beside it; undefined if it is not there. */
export async function programIn(root: string, path: readonly string[]): Promise<Program | undefined> {
  const program = join(root, ...path);
  try {
    await access(program);
  } catch {
    return undefined;
  }
  const triplets: string[] = [];
  // Packages of a system whose /lib is a link to /usr/lib may hold files of either.
  for (const libraries of [join(root, 'usr', 'lib'), join(root, 'lib')]) {
    const folders = await readdir(libraries).catch(() => []);
    triplets.push(...folders.filter(name => name.includes('-linux-')).map(name => join(libraries, name)));
  }
  const inherited = process.env.LD_LIBRARY_PATH;
  const paths = [...triplets, ...(inherited ? [inherited] : [])];
  return { path: program, env: { LD_LIBRARY_PATH: paths.join(delimiter) } };
}

/**
 * Makes one deb822 source file out of the system's own, for package lists of our own: only entries whose suite names
 * this distribution's codename, with the distribution's backports added (Debian 12 has Valkey there).
 * @param etc the folder that holds `os-release` and `apt/`
 * @throws Error when there is no codename or no entry
 */
export async function privateSources(etc: string): Promise<string> {
  const release = await readFile(join(etc, 'os-release'), 'utf8');
  const codename = /^VERSION_CODENAME="?([a-z]+)/m.exec(release)?.[1];
  if (codename === undefined) throw new Error('this distribution names no VERSION_CODENAME');

  const stanzas: string[] = [];
  for (const file of await sourceFiles(join(etc, 'apt'))) {
    const text = await readFile(file, 'utf8').catch(() => '');
    stanzas.push(
      ...(file.endsWith('.sources') ? text.split(/\n\s*\n/) : text.split('\n').map(oneLineAsStanza)),
    );
  }
  const kept = stanzas.map(stanza => ofCodename(stanza, codename)).filter(stanza => stanza !== undefined);
  if (kept.length === 0) throw new Error(`no package source names ${codename}`);
  return `${kept.join('\n\n')}\n`;
}

async function sourceFiles(apt: string): Promise<string[]> {
  const parts = await readdir(join(apt, 'sources.list.d')).catch(() => []);
  const inParts = parts.filter(name => /\.(sources|list)$/.test(name)).sort();
  return [join(apt, 'sources.list'), ...inParts.map(name => join(apt, 'sources.list.d', name))];
}

/** `deb [signed-by=…] URI suite component…` as deb822. */
function oneLineAsStanza(line: string): string {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
  if (match === null) return '';
  const [, options = '', uri, suite, components = ''] = match;
  const signedBy = /signed-by=(\S+)/.exec(options)?.[1];
  return [
    'Types: deb',
    `URIs: ${uri}`,
    `Suites: ${suite}`,
    `Components: ${components.trim()}`,
    ...(signedBy === undefined ? [] : [`Signed-By: ${signedBy}`]),
  ].join('\n');
}

function ofCodename(stanza: string, codename: string): string | undefined {
  const lines = stanza.split('\n').filter(line => !line.startsWith('#') && line.trim() !== '');
  const value = (name: string): string =>
    lines.find(line => line.toLowerCase().startsWith(`${name}:`))?.replace(/^[^:]*:\s*/, '') ?? '';
  const suites = value('suites')
    .split(/\s+/)
    .filter(suite => suite === codename || suite.startsWith(`${codename}-`));
  if (suites.length === 0 || !/\bdeb\b(?!-)/.test(value('types')) || value('enabled') === 'no')
    return undefined;
  const backports = `${codename}-backports`;
  // Other repositories use the codename as their suite, too, and have no backports.
  const isDistribution = /debian|ubuntu/.test(value('uris')) && /\bmain\b/.test(value('components'));
  const adds = isDistribution && suites.includes(codename) && !suites.includes(backports);
  const withBackports = adds ? [...suites, backports] : suites;
  return lines
    .map(line => {
      if (/^types:/i.test(line)) return 'Types: deb';
      return /^suites:/i.test(line) ? `Suites: ${withBackports.join(' ')}` : line;
    })
    .join('\n');
}
