import type { Result, Verdict } from '../../result.ts';
import { toOneLine } from '../../text/format.ts';

/** That something else answered than the server a claim would be about, as a clause. */
export function nameStandIn(target: Result['target']): string {
  return `The config declares ${toOneLine(target.declared.server)}, but ${nameAnswered(target)} stood in for it`;
}

/** What a verdict on a stand-in's figures is worth, as a sentence. */
export function sayStandIn(target: Result['target'], verdict: Verdict): string {
  return `${nameStandIn(target)}, so nothing is said of ${toOneLine(target.declared.server)}; by the same rule the stand-in's figures would give: ${verdict}.`;
}

/** The same in few words. */
export function sayStandInShortly(target: Result['target'], verdict: Verdict): string {
  return `${nameAnswered(target)} stood in for ${toOneLine(target.declared.server)}; its figures would give: ${verdict}.`;
}

function nameAnswered({ detected }: Result['target']): string {
  return toOneLine(`${detected.server} ${detected.version}`);
}
