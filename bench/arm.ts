/**
 * One arm of a comparison, in a process of its own: drives a load against a server and prints, as JSON, what came of it
 * and the CPU of this process within the measured window. Start: `tsx bench/arm.ts '{…}'`.
 */
import { type BareClientName, driveBare } from './bare-loop.ts';
import { answer, childArgument } from './child.ts';
import { type ArmFigures, type ArmOptions, drivePoolbench } from './load-arm.ts';

export type NodeArm =
  | ({ readonly driver: 'poolbench' } & ArmOptions)
  | ({ readonly driver: 'bare'; readonly client: BareClientName } & Omit<ArmOptions, 'client'>);

const options = childArgument<NodeArm>(import.meta.url);
if (options === undefined) throw new Error('Expected what to drive, as JSON');
const figures: ArmFigures =
  options.driver === 'bare' ? await driveBare(options) : await drivePoolbench(options);
answer(figures);
