import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseConfig, readConfig, readExperiment } from '../../../src/main/experiment/read-config.ts';
import { withoutPasswords } from '../../../src/main/experiment/target.ts';
import { workloadTask } from '../../../src/main/experiment/workload.ts';
import { targetAddress } from '../../../src/main/server/find-target.ts';
import { faultsIn, outlineOf } from '../../support/config-faults.ts';
import { certificates, otherCertificates } from '../../support/servers.ts';

describe('keys of tls and sentinel', () => {
  function read(target: Record<string, unknown>) {
    const config = { name: 'a', target: { server: 'redis', ...target }, scenarios: [{}] };
    return parseConfig(JSON.stringify(config), 'a.json').target;
  }

  function faultsOf(target: Record<string, unknown>): string[] {
    try {
      read(target);
      return [];
    } catch (error) {
      return faultsIn((error as Error).message);
    }
  }

  const tls = 'rediss://h';
  const plain = 'redis://h';

  test.each([
    ['TLS keys', { url: tls, tls: { ca: 'ca.crt', cert: 'c.crt', key: 'c.key', servername: 'db.example' } }],
    ['a scheme in capitals', { url: 'REDISS://h', tls: { ca: 'ca.crt' } }],
    ['no check of the certificate', { url: tls, tls: { rejectUnauthorized: false } }],
    ['TLS at its defaults on a plain URL', { url: plain, tls: { ca: null, rejectUnauthorized: true } }],
    ['RESP2', { url: plain, protocol: 2 }],
    ['a Sentinel', { url: plain, sentinel: { master: 'mymaster' } }],
    [
      'several Sentinels with a login, in TLS',
      {
        url: tls,
        tls: { ca: 'ca.crt' },
        sentinel: { master: 'm', others: ['b:26380', '[::1]:26381', 'c'], username: 'u', password: 'p' },
      },
    ],
  ])('%s: fine', (_, target) => {
    expect(faultsOf(target)).toEqual([]);
  });

  test.each([
    [{ url: plain, tls: { ca: 'ca.crt' } }, 'target.url found "redis://h"'],
    [{ url: 'unix:///s', tls: { rejectUnauthorized: false } }, 'target.url found "unix:///s"'],
    [{ url: tls, tls: { cert: 'c.crt' } }, 'target.tls.key missing'],
    [{ url: tls, tls: { key: 'c.key' } }, 'target.tls.cert missing'],
    [{ url: tls, tls: { ca: 7 } }, 'target.tls.ca found 7'],
    [{ url: tls, tls: { servername: '10.0.0.1' } }, 'target.tls.servername found "10.0.0.1"'],
    [{ url: plain, protocol: 4 }, 'target.protocol 2 3 found 4'],
    [{ url: plain, protocol: '3' }, 'target.protocol 2 3 found "3"'],
    [{ url: plain, sentinel: 'mymaster' }, 'target.sentinel found "mymaster"'],
    [{ url: plain, sentinel: { others: ['h:1'] } }, 'target.sentinel.master missing'],
    [{ url: plain, sentinel: { master: 'm', username: 'u' } }, 'target.sentinel.password missing'],
    [{ url: 'unix:///s', sentinel: { master: 'm' } }, 'target.url found "unix:///s"'],
    [{ url: plain, threads: [2], sentinel: { master: 'm' } }, 'target.threads found a list'],
    [
      { url: plain, sentinel: { master: 'm', others: ['user:s3cret@h:1'] } },
      'target.sentinel.others[0] "10.0.0.2:26379" found "user:***@h:1"',
    ],
    [{ url: plain, sentinel: { master: 'm', password: 12345 } }, 'target.sentinel.password found ***'],
  ])('%j is refused', (target, fault) => {
    expect(faultsOf(target).map(outlineOf)).toEqual([fault]);
  });

  test('a password of the Sentinels is not shown', () => {
    const target = read({ url: 'redis://u:s3cret@h', sentinel: { master: 'm', password: 's3cret' } });
    const shown = withoutPasswords(target, 'redis://u@h');
    expect(shown).toMatchObject({ url: 'redis://u@h', sentinel: { master: 'm', password: '***' } });
    expect(JSON.stringify(shown)).not.toContain('s3cret');
  });
});

describe('TLS files are checked with the config', () => {
  const { ca, certificate, key } = certificates;

  /** A config in a folder of its own, with the certificates in a folder beside it. */
  async function writeConfig(tls: object, url = 'rediss://localhost'): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'certs'));
    for (const [name, from] of Object.entries({
      'ca.crt': ca,
      'client.crt': certificate,
      'client.key': key,
    })) {
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
    secrets = texts.flatMap(text =>
      text.split('\n').filter(line => line !== '' && !line.startsWith('-----')),
    );
  });

  test('paths are relative to the config, whatever the working directory', async () => {
    const path = await writeConfig({
      ca: 'certs/ca.crt',
      cert: './certs/client.crt',
      key: 'certs/client.key',
    });
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
    [{ ca: 'certs/missing.crt' }, /^target\.tls\.ca: .* no such file: \/certs\/missing\.crt$/],
    [{ ca: 'certs' }, /^target\.tls\.ca: .* folder: \/certs$/],
    [{ ca: 'certs/notes.txt' }, /^target\.tls\.ca: .* no PEM .*: \/certs\/notes\.txt$/],
    [{ ca: 'certs/client.key' }, /^target\.tls\.ca: .*"PRIVATE KEY".*: \/certs\/client\.key$/],
    [
      { cert: 'certs/client.crt', key: 'certs/ca.crt' },
      /^target\.tls\.key: .*"CERTIFICATE".*: \/certs\/ca\.crt$/,
    ],
    [
      { cert: 'certs/client.crt', key: otherCertificates.key },
      /^target\.tls\.key: .*another certificate: \/.*\.key$/,
    ],
  ])('%j is refused', async (tls, fault) => {
    expect(await faultsOf(tls)).toEqual([expect.stringMatching(fault)]);
  });

  test('all faults are listed', async () => {
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
});

describe('value files are found beside their config', () => {
  async function writeConfig(path: string): Promise<{ folder: string; config: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'poolbench-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await mkdir(join(folder, 'data'));
    await writeFile(join(folder, 'data', 'values.txt'), 'one\ntwo\n');
    const workload = { valueBytes: { kind: 'file', path } };
    const target = { server: 'redis', url: 'redis://h' };
    const config = join(folder, 'a.json');
    await writeFile(config, JSON.stringify({ name: 'a', target, scenarios: [{}], workload }));
    return { folder, config };
  }

  test('a relative path begins at the folder of the config', async () => {
    const { folder, config } = await writeConfig('data/values.txt');
    const { workload } = await readConfig(config);
    expect(workload.valueBytes).toEqual({ kind: 'file', path: join(folder, 'data', 'values.txt') });
    expect(workloadTask(workload).values.map(({ value }) => value)).toEqual([
      { text: 'one' },
      { text: 'two' },
    ]);
  });

  test('a missing file is refused with its path', async () => {
    const { config } = await writeConfig('other.txt');
    await expect(readConfig(config)).rejects.toThrow(
      /workload\.valueBytes\.path: .*\(no such file\), found ".*"/,
    );
  });

  test('a file that changes after the config was read changes nothing', async () => {
    const { folder, config } = await writeConfig('data/values.txt');
    const { workload } = await readConfig(config);
    const before = workloadTask(workload);
    await writeFile(join(folder, 'data', 'values.txt'), 'three\n');
    expect(workloadTask(workload)).toEqual(before);
    await rm(join(folder, 'data'), { recursive: true });
    expect(workloadTask(workload)).toEqual(before);
  });
});

describe('thresholds that cannot be judged are refused', () => {
  const config = (thresholds: unknown) =>
    JSON.stringify({
      name: 'ci',
      target: { server: 'redis', url: 'redis://localhost:6379/0' },
      scenarios: [{ client: 'wire', workers: [10, 50], pools: [1, 2] }],
      thresholds,
    });

  test('conditions of every metric and unit are taken as they are written', () => {
    const written = {
      'response.mean': '<5ms',
      'response.p999': '<= 0.5 s',
      'service.p99': '< 500us',
      'service.p50': '< 0.5 µs',
      opsPerSecond: '> 50000',
      failedShare: '< 0.1%',
      'wire-optimized-2pools-50workers: failedShare': '<= 0.5',
      clientMicrosPerOp: '< 12.5',
      'claim.C1': 'supported',
      'claim.C16': 'refuted',
    };
    expect(parseConfig(config(written), 'ci.json').thresholds).toEqual(written);
    const usual = {
      'response.p99': '< 5ms',
      failedShare: '< 0.1%',
      opsPerSecond: '> 50000',
      'claim.C1': 'supported',
    };
    expect(parseConfig(config(usual), 'ci.json').thresholds).toEqual(usual);
    expect(parseConfig(config(undefined), 'ci.json').thresholds).toEqual({});
  });

  test.each([
    [
      { 'response.p98': '< 5ms' },
      /^thresholds\["response\.p98"\]: expected response\.mean, .*, serverMicrosPerCall or claim\.<id> \(did you mean "response\.p9\d+"\?\), found "response\.p98"$/,
    ],
    [
      { latency: '< 5ms' },
      /^thresholds\.latency: expected response\.mean, .* or claim\.<id>, found "latency"$/,
    ],
    [
      { 'response.p99': '5ms' },
      /^thresholds\["response\.p99"\]: .*"< 5ms".* s or ms or us or µs, found "5ms"$/,
    ],
    [{ 'response.p99': '< 5' }, /, found "< 5"$/],
    [{ 'response.p99': '= 5ms' }, /, found "= 5ms"$/],
    [{ 'response.p99': '< 5ms, or so' }, /, found "< 5ms, or so"$/],
    [{ 'response.p99': '< 5MS' }, /, found "< 5MS"$/],
    [{ 'response.p99': '< 5%' }, /, found "< 5%"$/],
    [{ opsPerSecond: '> 50k' }, /such as "> 50000": <, <=, > or >=, then a number, found "> 50k"$/],
    [
      { failedShare: '< 5' },
      /^thresholds\.failedShare: expected a condition such as "< 0\.1%": .* with no unit or %, at most 100%, found "< 5"$/,
    ],
    [{ failedShare: '< 101%' }, /, found "< 101%"$/],
    [{ opsPerSecond: 50000 }, /^thresholds\.opsPerSecond: .*"< 5ms", found 50000$/],
    [{ 'claim.C1': 'true' }, /^thresholds\["claim\.C1"\]: expected "supported" or "refuted", found "true"$/],
    [{ 'claim.C77': 'supported' }, /: expected .*, C1, .*, found "C77"$/],
    // It takes two servers, so no run could ever support it.
    [{ 'claim.C9': 'supported' }, /: expected .*, C1, .*, found "C9"$/],
    [
      { 'wire-optimized-2pools-50workers: claim.C1': 'supported' },
      /expected claim\.C1 without a scenario .*, found "wire-/,
    ],
    [
      { 'wire-optimized-2pools-60workers: response.p99': '< 5ms' },
      /^thresholds\["wire-optimized-2pools-60workers: response\.p99"\]: .*"wire-optimized-2pools-[15]0workers".*, found "wire-optimized-2pools-60workers"$/,
    ],
    [{ 'x: response.p99': '< 5ms' }, /config, such as "wire-optimized-1pool-10workers", found "x"$/],
    [{ completedShare: '> 99%' }, /^thresholds\.completedShare: .*arrival.*, found "completedShare"$/],
    [['< 5ms'], /^thresholds: .*"response\.p99": "< 5ms".*, found a list$/],
  ])('%j', (thresholds, fault) => {
    let message = '';
    try {
      parseConfig(config(thresholds), 'ci.json');
    } catch (error) {
      message = (error as Error).message;
    }
    const [first, , last, ...more] = message.split('\n');
    expect(first).toBe('ci.json is not a valid config, 1 fault:');
    expect(faultsIn(message)[0]).toMatch(fault);
    expect(last).toBe('configs/README.md explains every key.');
    expect(more).toEqual([]);
  });
});
