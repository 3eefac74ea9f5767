import type { GateResult, ResultComparison } from '../../comparison/schema.ts';
import type { Result, ThresholdResult } from '../../result.ts';
import { tookSeconds } from '../../stats/accounting.ts';
import { sumOf } from '../../stats/statistics.ts';
import { describeTarget, standInBanner, targetBanners } from '../../text/target-words.ts';
import { describeTitle } from '../documents/comparison.ts';
import { explainGate } from '../documents/gates.ts';
import { describeThreshold, describeUnjudged, isMetByItsValue } from '../documents/thresholds.ts';

/** A threshold or a gate in terms of JUnit. */
interface TestCase {
  readonly name: string;
  /** What it is about. */
  readonly classname: string;
  /** For which that was measured, in all rounds. */
  readonly seconds: number;
  /** `failure`: measured and crossed; `error`: not measured or not judged; `skipped`: undecided. */
  readonly outcome: {
    readonly kind: 'failure' | 'error' | 'skipped';
    readonly type: string;
    readonly message: string;
  } | null;
}

/** A run or a comparison in terms of JUnit. */
interface TestSuite {
  readonly name: string;
  readonly seconds: number;
  readonly startedAt: string;
  readonly properties: readonly (readonly [name: string, value: string])[];
  readonly cases: readonly TestCase[];
}

/**
 * The thresholds of a result as JUnit XML, which build servers show: a test suite for the run, in it a test case for
 * each threshold and scenario. Null if the config sets none.
 */
export function renderJunit(result: Result): string | null {
  return renderSuite({
    name: result.name,
    seconds: tookSeconds(result) ?? 0,
    startedAt: result.startedAt,
    properties: [
      ['target', describeTarget(result.target)],
      ...targetBanners(result).map(banner => ['warning', banner] as const),
      ['seed', String(result.seed)],
      ['tool', `${result.tool.name} ${result.tool.version}`],
    ],
    cases: testCases(result),
  });
}

/**
 * The gates of a comparison in the same form. An undecided one is skipped, because it is neutral. Null without gates.
 */
export function renderGatesJunit(comparison: ResultComparison): string | null {
  return renderSuite({
    name: describeTitle(comparison),
    seconds: 0,
    startedAt: comparison.sides[0]?.startedAt ?? '',
    properties: comparison.sides.map(({ name, target }) => [name, describeTarget(target)]),
    cases: comparison.gates.map(gateCase),
  });
}

const gateKinds = { beyond: 'failure', within: null, 'cannot tell': 'skipped' } as const;

function gateCase(gate: GateResult): TestCase {
  const { condition, side, scenario, outcome } = gate;
  const kind = gateKinds[outcome];
  return {
    name: condition,
    classname: scenario === null ? side : `${side}.${scenario}`,
    seconds: 0,
    outcome: kind === null ? null : { kind, type: outcome, message: explainGate(gate) },
  };
}

/** Null without a case. */
function renderSuite({ name, seconds, startedAt, properties, cases }: TestSuite): string | null {
  if (cases.length === 0) return null;
  const count = (kind: string) => cases.filter(({ outcome }) => outcome?.kind === kind).length;
  const counts = {
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    time: Number(seconds.toFixed(3)),
  };
  const timestamp = startedAt.replace(/\.\d+Z$/, '');
  const suite = element('testsuite', { name, ...counts, skipped: count('skipped'), timestamp }, [
    element(
      'properties',
      {},
      properties.map(([key, value]) => property(key, value)),
    ),
    ...cases.map(renderCase),
  ]);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'poolbench', ...counts }, [suite]).join('\n')}\n`;
}

function testCases(result: Result): TestCase[] {
  const unjudged = describeUnjudged(result);
  if (unjudged === null) return result.thresholds.map(threshold => judged(threshold, result));
  const outcome = { kind: 'error', type: 'not judged', message: unjudged } as const;
  return Object.entries(result.config.thresholds ?? {}).map(([key, condition]) => ({
    name: `${key} ${condition}`,
    classname: result.name,
    seconds: 0,
    outcome,
  }));
}

function judged(threshold: ThresholdResult, result: Result): TestCase {
  const { metric, condition, scenario, value, crossed } = threshold;
  return {
    name: `${metric} ${condition}`,
    classname: scenario === null ? result.name : `${result.name}.${scenario}`,
    seconds: sumOf(result.scenarios, ({ id, rounds }) =>
      scenario === null || id === scenario ? sumOf(rounds, round => round.seconds) : 0,
    ),
    outcome: crossed
      ? {
          ...(value === null
            ? { kind: 'error', type: 'not measured' }
            : { kind: 'failure', type: 'crossed' }),
          message: [describeThreshold(threshold), ...whyCrossedAllTheSame(threshold, result)].join('. '),
        }
      : null,
  };
}

/** Why a threshold counts as crossed, if not because of its value. */
function whyCrossedAllTheSame(threshold: ThresholdResult, result: Result): string[] {
  const standIn = standInBanner(result);
  if (standIn !== null) return [standIn];
  return isMetByItsValue(threshold)
    ? ['It is a lower bound: what was lost, or never sent, would have taken longer.']
    : [];
}

function renderCase({ name, classname, seconds, outcome }: TestCase): string[] {
  const attributes = { name, classname, time: Number(seconds.toFixed(3)) };
  if (outcome === null) return element('testcase', attributes, []);
  const { kind, type, message } = outcome;
  // Some show the one, some the other.
  const why = kind === 'skipped' ? { message } : { type, message };
  return element('testcase', attributes, [element(kind, why, message)]);
}

function property(name: string, value: string): string[] {
  return element('property', { name, value }, []);
}

/** The characters that XML 1.0 allows, escaped or not. */
const illegal = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // As they are, parsers would make blanks of them.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/**
 * An element as indented lines.
 *
 * @param attributes whose values may be any text from outside
 * @param content elements, or a text from outside
 */
function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  content: string | readonly (readonly string[])[],
): string[] {
  const pairs = Object.entries(attributes).map(([key, value]) => `${key}="${escapeXml(String(value))}"`);
  const tag = [name, ...pairs].join(' ');
  if (content.length === 0) return [`<${tag}/>`];
  if (typeof content === 'string') return [`<${tag}>${escapeXml(content)}</${name}>`];
  return [`<${tag}>`, ...content.flat().map(line => `  ${line}`), `</${name}>`];
}

function escapeXml(text: string): string {
  return text.replace(illegal, '').replace(/[&<>"\t\n\r]/g, character => escapes[character] ?? '');
}
