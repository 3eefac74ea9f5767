import { execFile } from 'node:child_process';
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

/** What it does without: a sandbox, which takes rights that a container lacks, a GPU, and everything that calls home. */
const flags = [
  ...['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/**
 * A Chromium on PATH, else that of the distribution (Debian), unpacked into the user's cache folder as servers are: no
 * root, nothing installed. Never throws.
 */
async function findBrowser(say: (line: string) => void): Promise<Program | { reason: string }> {
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
  const found = await findBrowser(line => console.log(line));
  if ('reason' in found) {
    throw new Error(
      `The page is tested in Chromium, which cannot be had here: ${found.reason}\n${howToInstall}`,
    );
  }
  return await chromium.launch({
    executablePath: found.path,
    headless: true,
    args: flags,
    env: { ...definedEnv(), ...definedEnv(found.env) },
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

function runs({ path, env }: Program): Promise<boolean> {
  return new Promise(resolve => {
    const args = [...flags, '--headless', '--dump-dom', 'about:blank'];
    execFile(path, args, { env: { ...process.env, ...env }, timeout: 20_000 }, (error, stdout) => {
      resolve(error === null && stdout.includes('<html>'));
    });
  });
}

function definedEnv(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
