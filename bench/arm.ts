/**
 * One arm of a comparison, in a process of its own: drives one thread's load against a server and prints, as JSON,
 * the operations and the CPU of this process within the measured window. Start: `tsx bench/arm.ts '{…}'`.
 */
import { type ArmOptions, drivePoolbench } from './load-arm.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as ArmOptions;
process.stdout.write(`${JSON.stringify(await drivePoolbench(options))}\n`);
