import type { Kind } from '../metrics.ts';
import type { Verdict } from '../result.ts';

/** A condition on a number, in the unit of result.json. */
export interface Condition {
  readonly operator: Operator;
  readonly limit: number;
}

const operators = {
  '<': (value: number, limit: number) => value < limit,
  '<=': (value: number, limit: number) => value <= limit,
  '>': (value: number, limit: number) => value > limit,
  '>=': (value: number, limit: number) => value >= limit,
} as const;
type Operator = keyof typeof operators;

/** Verdicts that a threshold on a claim can ask for. */
export const wantedVerdicts = ['supported', 'refuted'] as const satisfies readonly Verdict[];

/** Reads "< 5ms"; null if it is no condition on a value of this kind. Units are told apart by letter, not by case. */
export function parseCondition(text: string, { units, max }: Kind): Condition | null {
  const [, operator, number, unit = ''] =
    /^\s*(<=?|>=?)\s*(\d+(?:\.\d+)?)\s*([a-zµ]*|%)\s*$/.exec(oneMicro(text)) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  if (operator === undefined || factor === undefined) return null;
  // A product would leave 0.1 % a little off 0.001.
  const limit = factor < 1 ? Number(number) / Math.round(1 / factor) : Number(number) * factor;
  return limit <= max ? { operator: operator as Operator, limit } : null;
}

/** Whether a value is as the condition wants it. */
export function isMet({ operator, limit }: Condition, value: number): boolean {
  return operators[operator](value, limit);
}

/** The micro sign and the Greek letter look alike: the sign of both. */
function oneMicro(text: string): string {
  return text.replaceAll('\u03bc', '\u00b5');
}
