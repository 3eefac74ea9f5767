import type { ClaimResult, Interval, Result } from '../../result.ts';
import { describeControl, findControlFlaw } from '../../stats/control.ts';
import { describeHosts, type HostMachine } from '../../stats/hosts.ts';
import { minRounds } from '../../stats/sign-test.ts';
import {
  excludesNothing,
  formatInterval,
  formatMs,
  formatRate,
  formatRatioInterval,
} from '../../text/format.ts';
import { describeClients, describeTarget, formatMemory } from '../../text/target-words.ts';
import {
  type Block,
  code,
  details,
  heading,
  type Item,
  list,
  narrow,
  only,
  paragraph,
  strong,
  wide,
} from '../blocks.ts';

/** What several documents have. */

/** A claim with its verdict and why: a sentence in a terminal, elsewhere the full reason and the measurements. */
export function claimBlocks(claim: ClaimResult): Block[] {
  const { id, verdict, statement, reason, gist } = claim;
  return [
    ...only(narrow, [
      details(`${id} ${verdict}: ${statement}`, [paragraph(gist || reason)], { tone: verdict }),
    ]),
    ...only(wide, [
      heading(2, `${id}: ${verdict}`),
      paragraph([strong(statement)]),
      paragraph(reason),
      paragraph(describeMeasured(claim)),
    ]),
  ];
}

/** The ratio of two identical arms, shown with the verdicts; empty without a control. */
export function controlBlocks({ control }: Pick<Result, 'control'>, side?: string): Block[] {
  // With few rounds, as after an interrupt, it says nothing yet.
  if (control === undefined || control.rounds < minRounds) return [];
  const tone = findControlFlaw(control) === null ? undefined : 'warning';
  return [paragraph(describeControl(control, side), tone)];
}

export function warningBlocks(warnings: readonly string[]): Block[] {
  return [
    ...only(narrow, [
      list(warnings.map((warning): Item => ({ text: `Warning: ${warning}`, tone: 'warning' }))),
    ]),
    ...only(wide, [heading(2, 'Warnings'), warnings.length === 0 ? paragraph('None.') : list(warnings)]),
  ];
}

/**
 * Target, machine and tool.
 *
 * @param more stands behind the tool
 */
export function environmentBlocks(
  { target, environment, hosts, tool, clients = [], startedAt, finishedAt }: Measured,
  more = '',
): Block[] {
  const { declared } = target;
  const { cpu, cores, memoryBytes, os, node } = environment;
  const items = [
    { label: 'declared', text: `${declared.server} at ${declared.url}` },
    { label: 'measured', text: describeTarget(target) },
    { label: 'stand-in', text: describeStandIn(target) },
    ...(target.unverified === true ? [{ label: 'certificate', text: 'not checked' }] : []),
    { label: 'shares the machine with poolbench', text: target.local ? 'yes' : 'no' },
    {
      label: hosts === undefined ? 'machine' : 'machine of the coordinator',
      text: `${cpu}, ${cores} cores, ${formatMemory(memoryBytes)}`,
    },
    ...(hosts === undefined ? [] : [{ label: 'agents', text: describeHosts(hosts) }]),
    ...describeCpus(environment),
    { label: 'system', text: `${os}, Node ${node}` },
    { label: 'tool', text: `${tool.name} ${tool.version}${more}` },
    ...(clients.length === 0 ? [] : [{ label: 'clients', text: describeClients(clients) }]),
    { label: 'time', text: `${startedAt} to ${finishedAt}` },
  ];
  return only(wide, [heading(2, 'Target and environment'), list(items)]);
}

function describeStandIn({ standIn, standInReason }: Result['target']): string {
  if (!standIn) return 'no';
  return standInReason === undefined ? 'yes' : `yes, because: ${standInReason}`;
}

/** Properties of the machine that explain figures; empty if the result has none. */
function describeCpus({
  cpus,
  affinity,
  quotaCores,
  governor,
  smt,
  virtualisation,
}: Result['environment']): Item[] {
  if (cpus === undefined) return [];
  const facts = [
    ['CPUs', cpus === null || affinity == null ? null : `CPUs ${affinity} of ${cpus}`],
    [
      'quota',
      quotaCores == null ? null : quotaCores === 'none' ? 'no quota' : `a quota of ${quotaCores} cores`,
    ],
    ['governor', governor == null ? null : `governor ${governor}`],
    ['SMT', smt == null ? null : `SMT ${smt ? 'on' : 'off'}`],
    ['virtualisation', virtualisation === 'none' ? 'no virtual machine' : virtualisation],
  ] as const;
  const known = facts.flatMap(([, text]) => text ?? []);
  const unknown = facts.filter(([, text]) => text == null).map(([name]) => name);
  const text = [...known, ...(unknown.length === 0 ? [] : [`not known: ${unknown.join(', ')}`])].join('; ');
  return [{ label: 'CPU', text }];
}

type Measured = Pick<Result, 'target' | 'environment' | 'tool' | 'clients' | 'startedAt' | 'finishedAt'> & {
  readonly hosts?: readonly HostMachine[] | undefined;
};

/** The config of a run, every key with its value. */
export function configCode(config: unknown): Block {
  return code('json', 'The config', JSON.stringify(config, null, 2).split('\n'));
}

/** What was measured for a claim, next to its prediction. */
export function describeMeasured(claim: ClaimResult): string {
  return `Predicted: ${claim.predicted}. Measured: ${formatMeasured(claim) ?? 'no figure that decides'}.`;
}

/** "×1.41 [1.35, 1.47]", "0.412 [0.401, 0.430] ms", "34.2k [33.9k, 34.8k] ops/s"; null if nothing was measured. */
export function formatMeasured(claim: Figure & Pick<ClaimResult, 'unit'>): string | null {
  const { unit } = claim;
  const interval = measuredInterval(claim);
  if (interval === null) return null;
  if (unit === '×') return excludesNothing(interval) ? null : formatRatioInterval(interval);
  return `${formatInterval(interval, unit === 'ms' ? formatMs : formatRate)} ${unit}`;
}

type Figure = Pick<ClaimResult, 'measured' | 'low' | 'high'>;

/** What was measured for a claim; null if nothing was. An unbounded end is infinite. */
export function measuredInterval({ measured, low, high }: Figure): Interval | null {
  if (measured === null) return null;
  return { median: measured, low: low ?? Number.NEGATIVE_INFINITY, high: high ?? Number.POSITIVE_INFINITY };
}

/**
 * Claims that a report shows in full, and those that were not tested. A run that tests none has another question, so
 * its report does not mention claims.
 */
export function splitClaims(claims: readonly ClaimResult[]): {
  readonly tested: readonly ClaimResult[];
  readonly untested: readonly ClaimResult[];
} {
  const tested = claims.filter(claim => !isUntested(claim));
  return { tested, untested: tested.length === 0 ? [] : claims.filter(isUntested) };
}

/** Whether the run had nothing for a claim: no verdict, no figure and nothing to compare. */
function isUntested({
  verdict,
  measured,
  comparisons,
}: Pick<ClaimResult, 'verdict' | 'measured' | 'comparisons'>): boolean {
  return verdict === 'not tested' && measured === null && comparisons.length === 0;
}
