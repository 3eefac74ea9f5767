import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
