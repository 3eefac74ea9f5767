import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { programIn, unpackDebianPackages } from '../../src/main/server/debian-package.ts';
import { findProgram, type Program } from '../../src/main/server/server-process.ts';
import { userCache } from '../../src/main/server/unpacked-program.ts';

const onPath = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const howToInstall =
  'Debian: apt install chromium · Ubuntu, macOS: Google Chrome, with google-chrome on PATH';
/** The browser alone is 60 MB. */
const timeLimitMs = 300_000;
const startLimitMs = 20_000;

/** What it does without: a sandbox, which takes rights that a container lacks, a GPU, and everything that calls home. */
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/**
 * A Chromium on PATH, else that of the distribution (Debian), unpacked into the user's cache folder as servers are: no
 * root, nothing installed. Never throws.
 */
async function findBrowser(
  say: (line: string) => void,
  runs: (program: Program) => Promise<boolean>,
): Promise<Program | { reason: string }> {
  for (const name of onPath) {
    const path = await findProgram(name);
    if (path !== undefined && (await runs({ path, env: {} }))) return { path, env: {} };
  }
  const cache = userCache('browsers');
  return await unpackDebianPackages(
    {
      name: 'chromium-headless-shell',
      // A machine without a font draws no text.
      packages: ['chromium-headless-shell', 'fonts-dejavu-core', 'fontconfig-config'],
      cache,
      folder: 'chromium',
      timeLimitMs,
      programIn: root => browserIn(root, cache),
    },
    { say, runs },
  );
}

/** Starts it. @throws Error with what to do where there is none */
export async function launchBrowser(): Promise<Browser> {
  // Whether a program is a browser shows when it is started, which is needed once.
  const started = new Map<string, Browser>();
  const found = await findBrowser(
    line => console.log(line),
    async program => {
      const browser = await start(program).catch(() => undefined);
      if (browser !== undefined) started.set(program.path, browser);
      return browser !== undefined;
    },
  );
  const browser = 'path' in found ? started.get(found.path) : undefined;
  for (const other of started.values()) if (other !== browser) await other.close();
  if ('reason' in found) {
    throw new Error(
      `The page is tested in Chromium, which cannot be had here: ${found.reason}\n${howToInstall}`,
    );
  }
  // One that was just fetched lies elsewhere now.
  return browser ?? (await start(found));
}

function start({ path, env }: Program): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    headless: true,
    args: flags,
    env: { ...definedEnv(), ...definedEnv(env) },
    timeout: startLimitMs,
  });
}

async function browserIn(root: string, cache: string): Promise<Program | undefined> {
  const program = await programIn(root, ['usr', 'lib', 'chromium', 'chromium-headless-shell']);
  if (program === undefined) return undefined;
  // PulseAudio has a library in a folder of its own, which its other one knows by an absolute path.
  const libraries = (program.env.LD_LIBRARY_PATH ?? '').split(delimiter);
  const pulse = libraries.map(folder => join(folder, 'pulseaudio'));
  return {
    path: program.path,
    env: {
      LD_LIBRARY_PATH: [...libraries, ...pulse].join(delimiter),
      FONTCONFIG_FILE: await fontConfig(root, cache),
    },
  };
}

/** Fonts of the system, and those that were unpacked. */
async function fontConfig(root: string, cache: string): Promise<string> {
  const file = join(root, 'poolbench-fonts.conf');
  const fonts = ['/usr/share/fonts', join(root, 'usr', 'share', 'fonts')];
  const families = ['system-ui', 'sans-serif', 'ui-monospace', 'monospace']
    .map(
      family =>
        `<alias><family>${family}</family><prefer><family>DejaVu Sans${family.includes('mono') ? ' Mono' : ''}</family></prefer></alias>`,
    )
    .join('');
  const text = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>${fonts
    .map(folder => `<dir>${folder}</dir>`)
    .join('')}${families}<cachedir>${join(cache, 'font-cache')}</cachedir></fontconfig>`;
  await mkdir(root, { recursive: true });
  await writeFile(file, text);
  return file;
}

function definedEnv(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
