/** Calls of a table of rows: each with what its own row takes. */
import type { ModuleRows } from '../shared/modules.ts';
import type { Operation } from '../shared/operations/operation.ts';
import type { Call } from './call.ts';

export type Rows = Readonly<Record<string, Operation>>;

export type CallOf<Table extends Rows> = { readonly [Name in keyof Table]: Call<Table[Name]> }[keyof Table];

/** What routes lead to. */
export type RoutedCall = CallOf<ModuleRows>;
