import type { z } from 'zod';
import type { Client, Preset } from '../../pool/presets.ts';
import type { BatchWorkers } from './batch.ts';

/**
 * The form of a row of the table in `dimensions.ts`. No row decides whether arms may differ in its key: a claim or a table
 * pairs only arms that agree in every key except those that it names itself.
 */

/** The part of a config's cell, one value for each key, that rows may use in addition to their own value. */
export interface Cell {
  readonly client: Client;
  readonly preset: Preset;
  readonly pools: number;
  readonly workers: number;
  readonly poolsPerThread: number;
  /** For each worker. */
  readonly connections: number;
  readonly batch: BatchWorkers;
  readonly cutEveryMs: number;
}

/** The part of a scenario in a result that rows may use in addition to their own value. */
export interface Basics {
  readonly client: string;
  readonly pool: string;
  readonly pools: number;
  readonly threads: number;
  readonly workers: number;
  readonly connections: number;
  readonly minIdle: number;
  readonly batch: { readonly pool: string; readonly workers: number };
  readonly cutEveryMs: number;
}

/** A column of a CSV file: its name in the first line, and its content. Null: nothing was measured. */
export interface Column<Field> {
  readonly name: string;
  value(field: Field): number | boolean | string | null;
}

/** A schema without a default of its own: `config.usual` is the only one. */
type WithoutDefault = z.ZodType & { readonly removeDefault?: never };

/**
 * @template Item schema of one value in a config
 * @template Field schema of the value in a result
 * @template Value one value of a cell, after the lists of the config have been expanded
 * @template Measured what a scenario has: `Value`, or a total that is made of it
 * @template Thread whether a thread gets it, or the function that makes what it gets instead
 */
export interface Dimension<
  Item extends z.ZodType = z.ZodType,
  Field extends WithoutDefault = WithoutDefault,
  Value = unknown,
  Measured = unknown,
  Thread = unknown,
  ConfigKey extends string = string,
  FileKey extends string = string,
> {
  /** How a config sets it; null: it follows from other keys. */
  readonly config: {
    /** Where the config has another name for it. */
    readonly name?: ConfigKey;
    /** One value of the list. */
    readonly item: Item;
    /** The default. An id leaves it out if the experiment has no other value. */
    readonly usual: z.input<Item>;
    /**
     * The version that first wrote the key: earlier results lack it and are read with `usual`. Null: all results have it. It
     * must be null if the key is a total, whose `usual` is a ratio.
     */
    readonly since: string | null;
    readonly description: string;
    readonly unit?: string;
    /** The values of cells that a list stands for, if it is more than its items. */
    expand?(items: readonly z.output<Item>[]): readonly Value[];
    /** The value as a part of an id. */
    label(value: Value): string;
    readonly inEveryId?: true;
    /**
     * Whether it has an effect in such a cell; otherwise it is reset to the default and has no label. Absent: always.
     */
    applies?(cell: Cell): boolean;
    /** An equivalent value that is measured instead, so that nothing is measured twice. */
    clamp?(value: Value, cell: Cell): NoInfer<Value>;
  } | null;
  /** What a scenario has, if it is not the value of the cell. */
  measure?(value: Value, cell: Cell): Measured;
  /** Where results, CSV and claims have another name for it. */
  readonly fileKey?: FileKey;
  /** Its schema in a result. */
  readonly result: Field;
  /** What arms must agree in instead of the value, if an earlier version wrote another value for the same. */
  equalBy?(value: z.output<Field>, scenario: Basics): unknown;
  /** Whether a thread gets it, or what it gets instead. */
  readonly thread: Thread;
  /**
   * The path through the code of a thread that the value opens, as text; "" for every value that opens none. Before the
   * first round, each combination of paths is run on every thread until it is compiled.
   */
  path(value: Measured): string;
  /** As text, "pipeline 10"; "" in a scenario that it does not apply to. */
  words(value: z.output<Field>, scenario: Basics): string;
  /** Whether a pair of scenarios that share the value is described with it. Absent: never. */
  describeShared?(value: z.output<Field>): boolean;
  /** A difference in it is described only between scenarios that agree in these: otherwise it follows from them. */
  readonly follows?: readonly (keyof Basics)[];
  /** Whether scenarios that differ in it have tables and charts of their own, or are rows of one table. */
  readonly setting: boolean;
  /** In the heading of a setting, if not as `words`; `among` all scenarios of the report. */
  heading?(value: z.output<Field>, scenario: Basics, among: readonly Basics[]): string;
  readonly inEveryHeading?: true;
  /** Columns of `scenarios.csv`. Absent: one, named as the key of the result. */
  readonly columns?: readonly Column<z.output<Field>>[];
}

/** Lets the compiler infer the types of a row from its schemas, and refuse a row without one of the decisions. */
export function dimension<
  Item extends z.ZodType,
  Field extends WithoutDefault,
  const Thread extends boolean | ((measured: Measured, scenario: { readonly preset: Preset }) => unknown),
  Value = z.output<Item>,
  Measured = Value,
  const ConfigKey extends string = '',
  const FileKey extends string = '',
>(
  row: Dimension<Item, Field, Value, Measured, Thread, ConfigKey, FileKey>,
): Dimension<Item, Field, Value, Measured, Thread, ConfigKey, FileKey> {
  return row;
}
