import type { ClaimResult, Result } from '../../result.ts';
import { describeMeasured } from '../../text/claim-words.ts';
import { surroundingsOf, targetBanners } from '../../text/target-words.ts';
import {
  alert,
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

/** What to shout before and after the figures of a target. */
export function bannerAlerts(of: Pick<Result, 'target'>): Block[] {
  return targetBanners(of).map(banner => alert(banner));
}

/** A claim with its verdict, the reason and what was measured. */
export function claimBlocks(claim: ClaimResult): Block[] {
  const { id, verdict, statement, reason } = claim;
  const found = [paragraph(reason), paragraph(describeMeasured(claim))];
  return [
    ...only(narrow, [details(`${id} ${verdict}: ${statement}`, found, { tone: verdict })]),
    ...only(wide, [heading(2, `${id}: ${verdict}`), paragraph([strong(statement)]), ...found]),
  ];
}

export function warningBlocks(warnings: readonly string[]): Block[] {
  return [
    ...only(narrow, [
      list(warnings.map((warning): Item => ({ text: `Warning: ${warning}`, tone: 'warning' }))),
    ]),
    ...only(wide, [heading(2, 'Warnings'), warnings.length === 0 ? paragraph('None.') : list(warnings)]),
  ];
}

/** Target, machine and tool; `more` stands behind the tool. */
export function environmentBlocks(...of: Parameters<typeof surroundingsOf>): Block[] {
  return only(wide, [heading(2, 'Target and environment'), list(surroundingsOf(...of))]);
}

/** The config of a run, every key with its value. */
export function configCode(config: unknown): Block {
  return code('json', 'The config', JSON.stringify(config, null, 2).split('\n'));
}
