import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { readConfig, readExperiment } from '../src/main/experiment/read-config.ts';
import { targetAddress } from '../src/main/server/find-target.ts';
import { faultsIn } from './support/config-faults.ts';
import { certificates, otherCertificates } from './support/servers.ts';

const { ca, certificate, key } = certificates;

/** A config in a folder of its own, with the certificates in a folder beside it. */
async function writeConfig(tls: object, url = 'rediss://localhost'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'certs'));
  for (const [name, from] of Object.entries({ 'ca.crt': ca, 'client.crt': certificate, 'client.key': key })) {
    await copyFile(from, join(folder, 'certs', name));
  }
  await writeFile(join(folder, 'certs', 'notes.txt'), 'no PEM at all');
  const config = { name: 'a', target: { server: 'redis', url, tls }, scenarios: [{}] };
  await writeFile(join(folder, 'a.json'), JSON.stringify(config));
  return join(folder, 'a.json');
}

async function faultsOf(tls: object): Promise<string[]> {
  const path = await writeConfig(tls);
  const error = await readConfig(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: 'CONFIG_INVALID', exitCode: 2 });
  const { message } = error as Error;
  for (const secret of secrets) expect(message).not.toContain(secret);
  const lines = message.split('\n');
  expect(lines[0]).toMatch(/is not a valid config, \d faults?:$/);
  for (const line of lines.slice(1, -1)) expect(line).toMatch(/^ {2}\S+a\.json:1:\d+: target\.tls\./);
  return faultsIn(message).map(fault => fault.replaceAll(join(path, '..'), ''));
}

let secrets: string[];
beforeAll(async () => {
  // The lines between BEGIN and END.
  const texts = await Promise.all([ca, certificate, key].map(file => readFile(file, 'utf8')));
  secrets = texts.flatMap(text => text.split('\n').filter(line => line !== '' && !line.startsWith('-----')));
});

test('paths are relative to the config, whatever the working directory', async () => {
  const path = await writeConfig({ ca: 'certs/ca.crt', cert: './certs/client.crt', key: 'certs/client.key' });
  const { target } = await readConfig(path);
  expect(target.tls).toMatchObject({
    ca: join(path, '../certs/ca.crt'),
    cert: join(path, '../certs/client.crt'),
    key: join(path, '../certs/client.key'),
  });
  const address = await targetAddress(target);
  expect(address).toMatchObject({ host: 'localhost', tls: true, servername: 'localhost' });
  expect(address.trust).toEqual({
    ca: await readFile(ca, 'utf8'),
    cert: await readFile(certificate, 'utf8'),
    key: await readFile(key, 'utf8'),
  });
  // Nothing but plain data, or it could not go to a thread.
  expect(structuredClone(address)).toEqual(address);
});

test('an absolute path stays as it is', async () => {
  const { target } = await readConfig(await writeConfig({ ca }));
  expect(target.tls.ca).toBe(ca);
});

test.each([
  [
    { ca: 'certs/missing.crt' },
    "target.tls.ca: expected a PEM file with an authority's certificates, found no such file: /certs/missing.crt",
  ],
  [
    { ca: 'certs' },
    "target.tls.ca: expected a PEM file with an authority's certificates, found a folder: /certs",
  ],
  [
    { ca: 'certs/notes.txt' },
    "target.tls.ca: expected a PEM file with an authority's certificates, found no PEM text in it: /certs/notes.txt",
  ],
  [
    { ca: 'certs/client.key' },
    'target.tls.ca: expected a PEM file with an authority\'s certificates, found a "PRIVATE KEY" that cannot be used for it: /certs/client.key',
  ],
  [
    { cert: 'certs/client.crt', key: 'certs/ca.crt' },
    'target.tls.key: expected a PEM file with the private key of target.tls.cert, found a "CERTIFICATE" that cannot be used for it: /certs/ca.crt',
  ],
  [
    { cert: 'certs/client.crt', key: otherCertificates.key },
    `target.tls.key: expected the private key of target.tls.cert, found that of another certificate: ${otherCertificates.key}`,
  ],
])('%j is refused', async (tls, fault) => {
  expect(await faultsOf(tls)).toEqual([fault]);
});

test('all of them are told at once', async () => {
  expect(await faultsOf({ ca: 'x', cert: 'y', key: 'z' })).toHaveLength(3);
});

test('a URL of the command line must go with the TLS keys of the config', async () => {
  const path = await writeConfig({ ca: 'certs/ca.crt' });
  await expect(readExperiment(path, { url: 'redis://localhost' })).rejects.toMatchObject({
    code: 'USAGE',
    message: '--url: target.url: expected rediss://, as target.tls is set, found "redis://localhost"',
  });
  expect((await readExperiment(path, { url: 'rediss://elsewhere' })).target.url).toBe('rediss://elsewhere');
});
