import { z } from 'zod';
import { parseGivenCommand } from '../../workers/workload/command-templates.ts';
import { keyChoice } from './key-choice.ts';
import { isOutOfRange, numberBetween, oneOf, section, wholeNumber } from './schema-parts.ts';
import { valueBytes, valueContent } from './values.ts';
import { ycsbNames, ycsbPresets } from './ycsb.ts';

const mostCommands = 64;

const command = section({
  command: z
    .string({ error: 'a command such as "SET {key} {value} EX {number:10-60}"' })
    .check(({ value, issues }) => {
      try {
        parseGivenCommand(value);
      } catch (error) {
        issues.push({ code: 'custom', params: { expected: (error as Error).message }, input: value });
      }
    })
    .meta({ description: 'A command with placeholders: {key}, {value}, {counter}, {number:from-to}' }),
  weight: numberBetween(0.001, 1_000_000)
    .default(1)
    .meta({ description: 'How often it is sent, by the sum of all weights' }),
});

const usualKeyChoice = { kind: 'uniform' } as const;
const usualReadShare = 0.5;

/** What the workers ask of the server. What a preset or a list of commands decides is not there beside it. */
export const workload = section({
  keys: wholeNumber(1, 100_000_000).default(10_000).meta({
    description: 'Different keys in use; they are written before the load and removed after it',
    unit: 'keys',
  }),
  keyChoice: keyChoice.optional().meta({
    description: 'Which keys the operations are for',
    default: usualKeyChoice,
  }),
  valueBytes,
  valueContent,
  readShare: numberBetween(0, 1).optional().meta({
    description: 'Share of GET among the commands; the rest is SET. Not beside commands or ycsb',
    unit: 'share, 0 to 1',
    default: usualReadShare,
  }),
  commands: z
    .array(command, { error: 'a list of commands such as [{ "command": "GET {key}", "weight": 90 }]' })
    .max(mostCommands, { error: `at most ${mostCommands} commands` })
    .default([])
    .meta({ description: 'A weighted mix of commands, in the place of GET and SET by readShare' }),
  hitShare: numberBetween(0, 1).default(1).meta({
    description: 'Share of reads that are for keys which are there; the rest are for keys that nobody writes',
    unit: 'share, 0 to 1',
  }),
  ycsb: oneOf(ycsbNames)
    .nullable()
    .default(null)
    .meta({ description: 'A workload of YCSB: its commands and its choice of keys; null: none' }),
})
  .check(({ value, issues }) => {
    if (issues.some(isOutOfRange)) return;
    const refuse = (key: 'readShare' | 'commands' | 'keyChoice' | 'hitShare', expected: string) =>
      issues.push({ code: 'custom', params: { expected }, path: [key], input: value[key] });
    if (value.ycsb !== null) {
      const decides = `no ${'{key}'} beside ycsb, which decides it`;
      for (const key of ['readShare', 'keyChoice'] as const)
        if (value[key] !== undefined) refuse(key, decides.replace('{key}', key));
      if (value.commands.length > 0) refuse('commands', decides.replace('{key}', 'commands'));
      if (ycsbPresets[value.ycsb].growth !== undefined && value.hitShare < 1)
        refuse('hitShare', `1, or nothing, beside ycsb ${value.ycsb}, which reads what it has inserted`);
    } else if (value.commands.length > 0 && value.readShare !== undefined) {
      refuse('readShare', 'no readShare beside commands, which have weights');
    }
  })
  .transform(({ keyChoice, readShare, ...rest }) => ({
    ...rest,
    ...(rest.ycsb === null ? { keyChoice: keyChoice ?? usualKeyChoice } : {}),
    ...(rest.ycsb === null && rest.commands.length === 0 ? { readShare: readShare ?? usualReadShare } : {}),
  }))
  .meta({ description: 'What the workers ask of the server' });

/** A workload with its defaults filled in. */
export type WorkloadConfig = z.output<typeof workload>;
