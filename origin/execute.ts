/**
 * Carries out a call: what the pipeline, a transaction, a job and a test share. Nothing from here on knows of HTTP.
 * The compiler asks for a handler for each row of the modules (`shared/modules.ts`), and gives each its row's input. The
 * store goes no further: a handler holds its call's access, which is all that it reads and writes by.
 */
import type { ModuleRows } from '../shared/modules.ts';
import { asAdopted } from '../shared/contract/system-fields.ts';
import { isSafe, type Operation } from '../shared/operations/operation.ts';
import { ReadAccess } from './access/read-access.ts';
import { WriteAccess } from './access/write-access.ts';
import type { Answer, Call, StateAnswer } from './call.ts';
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

type Handler<Row extends Operation> = (access: AccessOf<Row>, call: Call<Row>) => Promise<AnswerOf<Row>>;

type AccessOf<Row extends Operation> = Row['answers'] extends 'effect' ? WriteAccess : ReadAccess;

type AnswerOf<Row extends Operation> = Row['answers'] extends 'state' ? StateAnswer : Answer;

/** A handler for each row, told what its row takes. */
type Handlers<Table extends Rows> = { readonly [Name in keyof Table]: Handler<Table[Name]> };

type CallOf<Table extends Rows> = { readonly [Name in keyof Table]: Call<Table[Name]> }[keyof Table];

type Executor<Table extends Rows> = (context: Context, call: CallOf<Table>) => Promise<Answer>;

/** Exported for tests that carry out a table of their own. What it returns throws a Fault where a call is refused. */
export function executor<Table extends Rows>(handlers: Handlers<Table>): Executor<Table> {
  return (context, asked) => {
    const call = inStore(context, asked);
    return handlerOf(handlers, call)(accessOf<Table>(context, call), call);
  };
}

/** The resource as its collection has it: in one that others made, Tombolo keeps nothing unasked. */
function inStore<Asked extends Call<Operation>>({ store }: Context, call: Asked): Asked {
  const { resource } = call;
  return store.state().adopted.has(resource.collection) ? { ...call, resource: asAdopted(resource) } : call;
}

type HandlerOf<Table extends Rows> = (access: AccessOf<Table[string]>, call: CallOf<Table>) => Promise<Answer>;

/** A call's row and its handler have one name, which ties the types of the two together. */
function handlerOf<Table extends Rows>(handlers: Handlers<Table>, call: CallOf<Table>): HandlerOf<Table> {
  return handlers[call.operation.name] as HandlerOf<Table>;
}

/** The access that its row asks for. */
function accessOf<Table extends Rows>(context: Context, call: CallOf<Table>): AccessOf<Table[string]> {
  return (isSafe(call.operation) ? new ReadAccess(context, call) : new WriteAccess(context, call)) as AccessOf<Table[string]>;
}

export type RoutedCall = CallOf<ModuleRows>;

export const execute = executor<ModuleRows>({ list, get, create, replace, patch, remove, import: importRows, changes });
