import { readFile } from 'node:fs/promises';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const models: Readonly<Record<string, { readonly prototype: { validate(): void } }>> = {
  'batch/v1 Job': Job,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
};

/**
 * Checks a resource against its schema, which takes unknown keys like the API server itself: a key that no rule of the
 * schema reads is a misspelt one.
 *
 * @returns the paths of such keys
 */
function checkResource(found: unknown): string[] {
  const { apiVersion, kind } = found as Readonly<Record<string, unknown>>;
  const Resource = models[`${apiVersion} ${kind}`];
  if (Resource === undefined) throw new Error(`expected a resource that is checked, found ${kind}`);
  const unread = new Set<string>();
  // Not of an instance: to make one reads every key.
  Resource.prototype.validate.call(watched(found, '', unread) as never);
  return [...unread];
}

/** A value like this one, whose keys are in `unread` until somebody reads them. */
function watched(value: unknown, path: string, unread: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    const own = `${path}/${key}`;
    if (!Array.isArray(value)) unread.add(own);
    return [key, watched(inner, own, unread)] as const;
  });
  const copy = Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
  return new Proxy(copy, {
    get(target, key, receiver) {
      unread.delete(`${path}/${String(key)}`);
      return Reflect.get(target, key, receiver);
    },
  });
}

async function readResources(): Promise<unknown[]> {
  const text = await readFile(new URL('../../deploy/kubernetes.yaml', import.meta.url), 'utf8');
  return parseAllDocuments(text).map(document => document.toJS());
}

test('every resource of deploy/kubernetes.yaml is valid for Kubernetes, and has no misspelt key', async () => {
  const resources = await readResources();
  expect(resources).toHaveLength(3);
  for (const resource of resources) expect(checkResource(resource)).toEqual([]);
});

test('a resource with a wrong value, or a misspelt key at any depth, is found', async () => {
  const [job] = await readResources();
  const changed = (from: string, to: string) => JSON.parse(JSON.stringify(job).replace(from, to));
  expect(() => checkResource(changed('"parallelism":4', '"parallelism":"four"'))).toThrow(/parallelism/);
  expect(checkResource(changed('"fieldRef"', '"fieldReff"'))).toContain(
    '/spec/template/spec/containers/0/env/0/valueFrom/fieldReff',
  );
  expect(checkResource(changed('"completionMode"', '"completionsMode"'))).toEqual(['/spec/completionsMode']);
});
