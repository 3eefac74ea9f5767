import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { compareResults } from '../../../../src/aggregate/comparison/compare-results.ts';
import { renderComparisonPage } from '../../../../src/aggregate/report/html/comparison-page.ts';
import { renderReportPage } from '../../../../src/aggregate/report/html/report-page.ts';
import { renderTrendPage } from '../../../../src/aggregate/report/html/trend-page.ts';
import { trendOf, trendRunOf } from '../../../../src/aggregate/trend/trend.ts';
import { launchBrowser } from '../../../support/browser.ts';
import { buildFullResult } from '../../../support/full-result.ts';
import { buildServerSeries } from '../../../support/result-builder.ts';

const result = buildFullResult(
  { workers: [10, 100], clients: ['ioredis'] },
  {
    warnings: ['a warning'],
    serverSeries: buildServerSeries([
      { usedMemoryBytes: 5_000_000, netOutputBytes: 0 },
      { usedMemoryBytes: 6_000_000, netOutputBytes: 70_000 },
      { usedMemoryBytes: 7_000_000, netOutputBytes: 90_000 },
    ]),
  },
);
const report = renderReportPage(result);
const comparison = renderComparisonPage(
  compareResults([result, buildFullResult({ workers: [10, 100], clients: ['ioredis'], rounds: 7 })]),
);

const twins = result.scenarios.map(scenario => ({
  ...scenario,
  id: `${scenario.id}-control`,
  control: true as const,
}));
const trend = trendOf(
  [1, 2].map(day =>
    trendRunOf(`run ${day}`, {
      ...result,
      startedAt: `2026-11-0${day}T04:00:00Z`,
      scenarios: [...result.scenarios, ...twins],
    }),
  ),
  [{ path: 'bad', reason: 'no result' }],
);
const overTime = trend === null ? '' : renderTrendPage(trend);

/** Run in the page, as text: there is no document here. */
const unfold = "for (const details of document.querySelectorAll('details')) details.open = true";

let browser: Browser;
let axe: string;

// The first run of all fetches the browser.
beforeAll(async () => {
  // Which browser it is does not matter: the user's own will do.
  vi.stubEnv('PATH', inject('usersPath'));
  browser = await launchBrowser();
  vi.unstubAllEnvs();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
}, 400_000);
afterAll(() => browser?.close());

interface Shown {
  readonly page: Page;
  /** What the console and the page's own policy had to complain of, and what it asked the network for. */
  readonly complaints: string[];
}

const usualSize = { width: 1280, height: 900 };

async function show(text: string): Promise<Shown> {
  const page = await browser.newPage({ viewport: usualSize });
  const complaints: string[] = [];
  page.on('console', message => complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(error.message));
  page.on('request', request => complaints.push(request.url()));
  await page.setContent(text);
  return { page, complaints };
}

const loaded = new Map<string, Promise<Shown>>();

/** A page of the usual size, which several tests share: each may unfold it, and leaves it without a tip. */
function showOnce(text: string): Promise<Shown> {
  const shown = loaded.get(text) ?? show(text);
  loaded.set(text, shown);
  return shown;
}

test('all pages load without a complaint, and ask the network for nothing', async () => {
  for (const text of [report, comparison, overTime]) {
    const { page, complaints } = await showOnce(text);
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    expect(complaints).toEqual([]);
  }
});

test('every chart is drawn, with its title, its marks within its frame, and a table', async () => {
  const { page } = await showOnce(report);
  await page.evaluate(unfold);
  const charts = await page.$$eval('figure.chart', figures =>
    figures.map(figure => {
      const svg = figure.querySelector('.drawing svg')?.getBoundingClientRect();
      return {
        title: figure.querySelector('figcaption b')?.textContent ?? '',
        wide: svg?.width ?? 0,
        high: svg?.height ?? 0,
        places: figure.querySelectorAll('[data-tip]').length,
        rows: figure.querySelectorAll('tbody tr').length,
        broken: /NaN|undefined|Infinity/.test(figure.innerHTML),
      };
    }),
  );
  const titles = charts.map(({ title }) => title);
  for (const title of [
    'Predicted against measured',
    'Throughput against workers',
    'Response p99 against workers',
    'Latency by percentile, 100 workers',
    'Wait for a connection, p99',
    'Time to connect, p99',
    'Memory',
    'Network',
  ]) {
    expect(titles).toContain(title);
  }
  // Of each scenario its series and its connections over time.
  expect(titles.filter(title => title === '100 workers, 2 pools')).toHaveLength(2);
  for (const { title, wide, high, places, rows, broken } of charts) {
    expect({ title, drawn: wide > 100 && high > 10, told: places > 0, tabled: rows > 0, broken }).toEqual({
      title,
      drawn: true,
      told: true,
      tabled: true,
      broken: false,
    });
  }
});

test('the pointer and the arrow keys show the values of result.json', async () => {
  const { page } = await showOnce(report);
  const chart = page.locator('figure', { hasText: 'Throughput against workers' }).first();
  const { median, low, high } = result.scenarios[0]?.summary?.opsPerSecond ?? { median: 0, low: 0, high: 0 };
  const said =
    `1 pool: ${[median, low, high].map(value => value.toLocaleString('en-US', { maximumSignificantDigits: 7 })).join('|')}`
      .replace('|', ' [')
      .replace('|', ', ');
  await chart.locator('[data-tip]').first().hover();
  expect(await page.locator('#tip').innerText()).toContain(`10 workers\n${said}] ops/s`);
  await page.keyboard.press('Escape');
  expect(await page.locator('#tip').isVisible()).toBe(false);

  // What the page moves under the pointer would be told, too.
  await page.mouse.move(0, 0);
  await chart.locator('.drawing').focus();
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('#tip').innerText()).toContain(said);
  await page.keyboard.press('End');
  expect(await page.locator('#tip').innerText()).toContain('100 workers');
  expect(await page.locator('#said').innerText()).toContain('100 workers');
  await page.keyboard.press('Escape');
});

// The colours alone are others in the dark.
test.each([
  ['light', {}],
  ['dark', { runOnly: ['color-contrast'] }],
] as const)('axe finds no serious fault, %s', async (colorScheme, rules) => {
  for (const text of [report, comparison, overTime]) {
    const { page } = await showOnce(text);
    await page.emulateMedia({ colorScheme });
    await page.evaluate(unfold);
    await page.evaluate(axe);
    const faults = await page.evaluate(
      async options => {
        // biome-ignore lint/suspicious/noExplicitAny: axe is put into the page as text.
        const { violations } = await (globalThis as any).axe.run(options);
        return violations
          .filter(({ impact }: { impact: string }) => impact === 'serious' || impact === 'critical')
          .map(
            ({ id, nodes }: { id: string; nodes: { html: string }[] }) =>
              `${id}: ${nodes[0]?.html.slice(0, 200)}`,
          );
      },
      { resultTypes: ['violations'], ...rules },
    );
    expect(faults).toEqual([]);
  }
});

test('a phone shows it without scrolling sideways, however many pools there are', async () => {
  const wide = renderReportPage(buildFullResult({ pools: [1, 2, 4, 8, 16, 32], rounds: 1 }));
  for (const text of [report, comparison, overTime, wide]) {
    const { page } = await showOnce(text);
    await page.setViewportSize({ width: 400, height: 900 });
    await page.evaluate(unfold);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(400);
    await page.setViewportSize(usualSize);
  }
});

test('without script the page shows the same', async () => {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.setContent(report);
  expect(await page.locator('figure.chart').count()).toBeGreaterThan(10);
  expect(await page.locator('.copy button').first().isVisible()).toBe(false);
  await page.close();
});
