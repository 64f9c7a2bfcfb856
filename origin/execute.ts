/**
 * Carries out a call: what the pipeline, a transaction, a job and a test share. Nothing from here on knows of HTTP.
 * The compiler asks for a handler for each row of `shared/operations/documents.ts`, and gives each its row's input.
 */
import { type DocumentOperation, documents } from '../shared/operations/documents.ts';
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

type Handlers = { readonly [Name in DocumentOperation]: (context: Context, call: Call<(typeof documents)[Name]>) => Promise<Answer> };

const handlers: Handlers = { list, get, create, replace, patch, remove, import: importRows, changes };

export type DocumentCall = { readonly [Name in DocumentOperation]: Call<(typeof documents)[Name]> }[DocumentOperation];

/** Throws a Fault where it is refused. */
export function execute(context: Context, call: DocumentCall): Promise<Answer> {
  return handlerOf(call)(context, call);
}

/** A call's row and its handler have one name, which ties the types of the two together. */
function handlerOf(call: DocumentCall): (context: Context, call: DocumentCall) => Promise<Answer> {
  return handlers[call.operation.name as DocumentOperation] as (context: Context, call: DocumentCall) => Promise<Answer>;
}
