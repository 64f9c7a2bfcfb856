/**
 * Carries out a call: what the pipeline, a transaction, a job and a test share. Nothing from here on knows of HTTP.
 * The compiler asks for a handler for each row of `shared/operations/documents.ts`, and gives each its row's input.
 */
import type { documents } from '../shared/operations/documents.ts';
import type { Operation } from '../shared/operations/operation.ts';
import type { Answer, Call } from './call.ts';
import type { Context } from './context.ts';
import { changes } from './operations/changes.ts';
import { create } from './operations/create.ts';
import { get } from './operations/get.ts';
import { importRows } from './operations/import.ts';
import { list } from './operations/list.ts';
import { patch } from './operations/patch.ts';
import { remove } from './operations/remove.ts';
import { replace } from './operations/replace.ts';

type Rows = Readonly<Record<string, Operation>>;

/** A handler for each row, told what its row takes. */
type Handlers<Table extends Rows> = { readonly [Name in keyof Table]: (context: Context, call: Call<Table[Name]>) => Promise<Answer> };

type CallOf<Table extends Rows> = { readonly [Name in keyof Table]: Call<Table[Name]> }[keyof Table];

type Executor<Table extends Rows> = (context: Context, call: CallOf<Table>) => Promise<Answer>;

/** Exported for tests that carry out a table of their own. What it returns throws a Fault where a call is refused. */
export function executor<Table extends Rows>(handlers: Handlers<Table>): Executor<Table> {
  return (context, call) => handlerOf(handlers, call)(context, call);
}

/** A call's row and its handler have one name, which ties the types of the two together. */
function handlerOf<Table extends Rows>(handlers: Handlers<Table>, call: CallOf<Table>): Executor<Table> {
  return handlers[call.operation.name] as Executor<Table>;
}

export type DocumentCall = CallOf<typeof documents>;

export const execute = executor<typeof documents>({ list, get, create, replace, patch, remove, import: importRows, changes });
