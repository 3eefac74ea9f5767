import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { renderExposition } from '../../../src/main/live/exposition.ts';
import { parseExposition } from '../../support/exposition.ts';
import { runMetrics } from '../../support/run-metrics.ts';

const panelSchema = z.object({
  title: z.string(),
  targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
});
const dashboardSchema = z.object({
  templating: z.object({ list: z.array(z.object({ name: z.string(), query: z.unknown() })) }),
  panels: z.array(panelSchema),
});

/** Labels that Prometheus itself gives to what it scrapes. */
const scrapeLabels = ['job', 'instance'];

/** The labels of each name that a query can have. */
const labelsByName = new Map<string, Set<string>>();
for (const { samples } of parseExposition(renderExposition(runMetrics().now())).values()) {
  for (const { name, labels } of samples)
    labelsByName.set(name, new Set([...(labelsByName.get(name) ?? scrapeLabels), ...Object.keys(labels)]));
}

/** Names, and labels by which a query selects, groups and joins. */
function partsOf(expr: string) {
  const bare = expr.replace(/"[^"]*"/g, '""');
  const selectors = [...bare.matchAll(/(poolbench_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }),
  );
  const listed = (keyword: string) =>
    [...bare.matchAll(new RegExp(`\\b${keyword}\\s*\\(([^)]*)\\)`, 'g'))].flatMap(([, labels = '']) =>
      labels.split(',').map(label => label.trim()),
    );
  return { selectors, grouped: listed('by'), joined: [...listed('on'), ...listed('group_left')] };
}

const dashboard = dashboardSchema.parse(
  JSON.parse(await readFile(new URL('../../../grafana/poolbench.json', import.meta.url), 'utf8')),
);
const targets = dashboard.panels.flatMap(({ title, targets }) =>
  targets.map(({ expr, legendFormat }) => [title, expr, legendFormat] as const),
);

test.each(targets)('the query of "%s" has names and labels of the exposition: %s', (_, expr, legend) => {
  const { selectors, grouped, joined } = partsOf(expr);
  const labelsOf = (name: string) => labelsByName.get(name) ?? new Set();
  expect(selectors).not.toEqual([]);
  for (const { name, labels } of selectors) {
    expect([...labelsByName.keys()]).toContain(name);
    expect([...labelsOf(name)]).toEqual(expect.arrayContaining(labels));
    expect([...labelsOf(name)]).toEqual(expect.arrayContaining(grouped));
  }
  const all = new Set(selectors.flatMap(({ name }) => [...labelsOf(name)]));
  expect([...all]).toEqual(expect.arrayContaining(joined));
  // What is grouped by some labels has no others.
  const left = grouped.length > 0 ? grouped : [...all];
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
  expect(left).toEqual(expect.arrayContaining(shown));
});

test('every panel has a query, and every variable of a query exists', () => {
  expect(targets.length).toBeGreaterThan(10);
  const names = [...dashboard.templating.list.map(({ name }) => name), '__rate_interval'];
  for (const [, expr] of targets)
    for (const [, variable] of expr.matchAll(/\$\{?(\w+)/g)) expect(names).toContain(variable);
  const [, variable = ''] =
    /label_values\((\w+), instance\)/.exec(JSON.stringify(dashboard.templating)) ?? [];
  expect([...labelsByName.keys()]).toContain(variable);
});
