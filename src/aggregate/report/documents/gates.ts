import { formatRatioAgainst } from '../../claims/judging/reason.ts';
import type { GateResult } from '../../comparison/schema.ts';
import { excludesNothing, formatPlural, nothing } from '../../text/format.ts';
import {
  alerts,
  type Block,
  badge,
  figures,
  heading,
  type Item,
  list,
  narrow,
  only,
  type Table,
  type Tone,
  table,
  wide,
  words,
} from '../blocks.ts';

const tones = { beyond: 'bad', within: 'good', 'cannot tell': 'inconclusive' } as const satisfies Record<
  GateResult['outcome'],
  Tone
>;

/** "response.p99 > +5%: ×1.12 [1.08, 1.15] over 16 rounds, valkey, wire-optimized-1pool-50workers". */
function describeGate(gate: GateResult): string {
  const { condition, side, scenario, ratio } = gate;
  const change = ratio !== null && excludesNothing(ratio) ? 'nothing is excluded' : formatChange(gate);
  const what = [ratio === null ? 'not compared' : `${change} ${formatBasis(gate)}`, side];
  const where = scenario === null ? what : [...what, scenario];
  return `${condition}: ${where.join(', ')}`;
}

/** The same, with its reason. */
export function explainGate(gate: GateResult): string {
  return [`${describeGate(gate)}.`, gate.reason].join(' ').trimEnd();
}

function formatChange({ ratio, threshold }: GateResult): string {
  return ratio === null || excludesNothing(ratio) ? nothing : formatRatioAgainst(ratio, threshold);
}

function formatBasis({ rounds, runs }: GateResult): string {
  if (rounds !== null) return `over ${formatPlural(rounds, 'round')}`;
  return runs === null ? '' : `to ${formatPlural(runs, 'run')}`;
}

/** Gates that an alert names; the others are counted. */
const maxNamed = 3;

/** Alerts: failed gates; without any, undecided gates. */
export function gateAlerts(gates: readonly GateResult[]): string[] {
  const alarming = alarmingGates(gates);
  const word = alarming[0]?.outcome === 'beyond' ? 'GATE FAILED' : 'GATE CANNOT TELL';
  const left = alarming.length - maxNamed;
  return [
    ...alarming.slice(0, maxNamed).map(gate => `${word}: ${explainGate(gate)}`),
    ...(left > 0 ? [`${word}: ${left} more; see the report.`] : []),
  ];
}

function alarmingGates(gates: readonly GateResult[]): GateResult[] {
  const of = (outcome: GateResult['outcome']) => gates.filter(gate => gate.outcome === outcome);
  const failed = of('beyond');
  return failed.length > 0 ? failed : of('cannot tell');
}

/** "Gates: 1 beyond, 3 within, 2 cannot tell". */
export function describeGates(gates: readonly GateResult[]): string {
  const counts = Object.keys(tones).flatMap(outcome => {
    const count = gates.filter(gate => gate.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${outcome}`];
  });
  return `Gates: ${counts.join(', ')}`;
}

/**
 * The conditions of `--fail-if` with their outcomes; empty without any. A terminal lists those that no alert names.
 */
export function gateBlocks(gates: readonly GateResult[]): Block[] {
  if (gates.length === 0) return [];
  const named = alarmingGates(gates).slice(0, maxNamed);
  const others = gates.filter(gate => !named.includes(gate));
  return [
    ...alerts(gateAlerts(gates)),
    ...only(wide, [heading(2, describeGates(gates)), gateTable(gates)]),
    ...only(narrow, [heading(2, `${describeGates(gates)}.`), list(others.map(gateItem))]),
  ];
}

function gateItem(gate: GateResult): Item {
  return { label: gate.outcome, text: describeGate(gate), tone: tones[gate.outcome] };
}

/** Failed ones first. */
export function gateTable(gates: readonly GateResult[]): Table {
  const order = Object.keys(tones);
  const sorted = gates.toSorted((a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome));
  return table(sorted, [
    words('', ({ outcome }) => [badge(outcome, tones[outcome])]),
    words('condition', ({ condition }) => condition),
    figures('change', formatChange),
    words('made', formatBasis),
    words('side', ({ side }) => side),
    words('scenario', ({ scenario }) => scenario ?? 'all'),
    words('note', ({ reason }) => reason),
  ]);
}
