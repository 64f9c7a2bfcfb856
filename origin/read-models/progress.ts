/**
 * How far the rows of a read model are made from nothing, by the model's name. Taking this away begins it anew.
 *
 *   none ──▶ sources, each in the order of its ids ──▶ rows whose documents are gone ──▶ complete ── history lost ──▶ sources
 *
 * The consumer goes on meanwhile, and what it makes is newer than what a step of the walk has read. So it notes its keys here,
 * in its own commit, and a step that has made one of them is refused and done again.
 */
import * as z from 'zod';
import { resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Decision, Mutation } from '../store/store.ts';
import { readModelLimits } from './limits.ts';

const schema = z.object({
  /** Another one each time that it begins. */
  run: z.string(),
  stage: z.enum(['sources', 'rows', 'complete']),
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
export type Reached = Pick<Progress, 'stage' | 'source' | 'after'>;

export const progress = resource({
  name: 'tombolo_read_models', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema, shapes: {},
});

export function progressIn(value: JsonObject): Progress {
  const { id: _id, ...fields } = value;
  return schema.parse(fields);
}

/** All rows are to be made anew. */
export function beginning(name: string): Mutation {
  const begun: Progress = { run: crypto.randomUUID(), stage: 'sources', source: 0, after: '', beside: [], turn: crypto.randomUUID() };
  return { resource: progress, id: name, decide: () => ({ kind: 'put', document: begun }) };
}

/** Keys that the consumer makes, noted while a walk goes on; none that begins later has read what was before them. */
export function noting(name: string, keys: readonly string[]): Mutation {
  const turn = crypto.randomUUID();
  return changing(name, (at) => {
    if (at === undefined || at.stage === 'complete') return { kind: 'keep' };
    const beside = [...at.beside, ...keys];
    return { kind: 'put', document: beside.length > readModelLimits.keysBesideMax ? { ...at, beside: [], turn } : { ...at, beside } };
  });
}

/** A step of a walk that began at `from` and has made these keys. */
export function stepping(name: string, from: Progress, to: Reached, keys: ReadonlySet<string>): Mutation {
  return changing(name, (at) => {
    const isOurs = at !== undefined && isSameJson({ ...at, beside: [] }, { ...from, beside: [] });
    const isBehind = !isOurs || at.beside.slice(from.beside.length).some((key) => keys.has(key));
    if (isBehind) return { kind: 'refuse', fault: new Fault('cursor_moved') };
    return { kind: 'put', document: { ...from, ...to, beside: [] } };
  });
}

function changing(name: string, decide: (at: Progress | undefined) => Decision): Mutation {
  return { resource: progress, id: name, decide: (before) => decide(before === undefined ? undefined : progressIn(before.value)) };
}
