/**
 * How far the rows of a read model are made from nothing, by the model's name. Taking this away begins it anew.
 *
 *   none, or of another declaration ──▶ clear ──▶ sources ──▶ switch ──▶ clear ──▶ complete        rows are made beside
 *   history lost, or too many to switch ────────▶ sources ──▶ rows whose documents are gone ──▶ clear ──▶ complete
 *
 * Sources are walked each in the order of its ids. The consumer goes on meanwhile, and what it makes is newer than what a step of
 * the walk has read. So it notes its keys here, in its own commit, and a step that has made one of them is refused and done again.
 * Nothing takes its place, nor is all complete, before the consumer has come to what the walk has read last.
 */
import * as z from 'zod';
import { resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Decision, Mutation } from '../store/store.ts';
import { readModelLimits } from './limits.ts';
import { declarationOf, type ReadModel } from './read-model.ts';

const schema = z.object({
  /** Another one each time that it begins. */
  run: z.string(),
  /** Which declaration makes the rows. */
  declaration: z.string().default(''),
  /** Whether rows are made beside those that are served. */
  isBeside: z.boolean().default(false),
  stage: z.enum(['clear', 'sources', 'switch', 'rows', 'complete']),
  /** Which of the sources. */
  source: z.int(),
  /** The sort values of the last document that was looked at, as JSON; empty where none was. */
  after: z.string(),
  /** Keys that the consumer has made since the last step. */
  beside: z.array(z.string()),
  /** Another one when these became too many, and were forgotten. */
  turn: z.string(),
});

export type Progress = z.output<typeof schema>;

/** Where a step of a walk ends. */
export type Reached = Pick<Progress, 'stage' | 'source' | 'after'> & Partial<Pick<Progress, 'run' | 'isBeside'>>;

export const progress = resource({
  name: 'tombolo_read_models', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema, shapes: {},
});

/** `undefined`: it has not begun, or what there is was begun by another declaration. */
export function progressOf(model: ReadModel, value: JsonObject | undefined): Progress | undefined {
  const at = value === undefined ? undefined : progressIn(value);
  return at?.declaration === declarationOf(model) ? at : undefined;
}

function progressIn(value: JsonObject): Progress {
  const { id: _id, ...fields } = value;
  return schema.parse(fields);
}

/** All rows are to be made anew: where they are if they are of this declaration, else beside them. */
export function beginning(model: ReadModel): Mutation {
  const declaration = declarationOf(model);
  const [run, turn] = [crypto.randomUUID(), crypto.randomUUID()];
  return changing(model, (at) => {
    const isBeside = at?.declaration !== declaration || at.isBeside;
    const begun: Progress = { run, declaration, isBeside, stage: isBeside ? 'clear' : 'sources', source: 0, after: '', beside: [], turn };
    return { kind: 'put', document: begun };
  });
}

/** Keys that the consumer has made where `from` has it make them; none that begins later has read what was before them. */
export function noting(model: ReadModel, from: Progress, keys: readonly string[]): Mutation {
  const turn = crypto.randomUUID();
  return changing(model, (at) => {
    const isElsewhere = at?.declaration !== from.declaration || at.isBeside !== from.isBeside;
    if (isElsewhere) return { kind: 'refuse', fault: new Fault('cursor_moved') };
    if (at.stage === 'complete') return { kind: 'keep' };
    const beside = [...at.beside, ...keys];
    return { kind: 'put', document: beside.length > readModelLimits.keysBesideMax ? { ...at, beside: [], turn } : { ...at, beside } };
  });
}

/** A step of a walk that began at `from` and has made these keys, or all of them. */
export function stepping(model: ReadModel, from: Progress, to: Reached, keys: ReadonlySet<string> | 'all'): Mutation {
  return changing(model, (at) => {
    const isOurs = at !== undefined && isSameJson({ ...at, beside: [] }, { ...from, beside: [] });
    const isBehind = !isOurs || at.beside.slice(from.beside.length).some((key) => keys === 'all' || keys.has(key));
    if (isBehind) return { kind: 'refuse', fault: new Fault('cursor_moved') };
    return { kind: 'put', document: { ...from, ...to, beside: [] } };
  });
}

function changing({ name }: ReadModel, decide: (at: Progress | undefined) => Decision): Mutation {
  return { resource: progress, id: name, decide: (before) => decide(before === undefined ? undefined : progressIn(before.value)) };
}
