/**
 * An aggregate as its caller may have it: of the documents that they see, by fields that they may read in every one of them,
 * without the groups that are too small to be told. The database tells which combinations of values there are; all else is
 * made of those here, so that both engines answer alike.
 */
import { type AggregateQuery, fieldsAskedBy } from '../../shared/aggregates/aggregate-query.ts';
import { isWithin } from '../../shared/contract/path.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { guardedFields } from '../documents/present.ts';
import { readOptions } from '../documents/representation.ts';
import { othersTurn } from '../others-turn.ts';
import { isArrayField } from '../store/kinds.ts';
import { Groups } from './groups.ts';

export interface Aggregated {
  readonly data: readonly JsonObject[];
  /** How many there are, shown or not. */
  readonly groups: number;
  readonly position: Position;
}

export async function readAggregate({ store }: Pick<Context, 'store'>, call: Asked, query: AggregateQuery): Promise<Aggregated> {
  const { resource, rights } = call;
  mustReadable(call, query);
  const { aggregate: { name, groups: groupsMax, shape }, equal, range, limit } = query;
  const read = [...new Set([...query.group, ...query.measures].map(({ field }) => field))];
  const each = read.find((field) => isArrayField(resource, field));
  const request = {
    equal, range, sort: shape.sorts[0] ?? [], where: rights.readable, fields: read.filter((field) => field !== each), each,
    max: each === undefined ? limits.aggregateDocumentsMax : limits.aggregateElementsMax,
  };
  const { value, position } = await store.tally(resource, request, readOptions(call));
  if (value === undefined) {
    throw tooLarge(`${name} finds more than ${request.max} ${each === undefined ? 'documents' : 'elements'}; a filter leaves fewer`);
  }
  const groups = new Groups(resource, query, request);
  for (const [index, tallied] of value.entries()) {
    groups.add(tallied);
    if (groups.size > groupsMax) throw tooLarge(`${name} makes more than ${groupsMax} groups; a filter, or a coarser group, leaves fewer`);
    if (index % atOnce === atOnce - 1) await othersTurn();
  }
  return { ...groups.shown(limit), position };
}

/** Combinations that are put into groups in one go, some 2 ms. */
const atOnce = 250;

function tooLarge(detail: string): Fault {
  return new Fault('aggregate_too_large', { detail });
}

/** A group tells values, and its size how many have them: whoever may not read a field everywhere may not ask by it. */
function mustReadable({ resource, principal }: Asked, query: AggregateQuery): void {
  const guarded = guardedFields(resource, principal).map(([field]) => field);
  const refused = fieldsAskedBy(query).find((field) => guarded.some((path) => isWithin(field, path)));
  if (refused === undefined) return;
  throw new Fault('forbidden', {
    detail: `you may not aggregate ${refused}`, errors: [{ at: refused, in: 'query', detail: 'not readable' }],
  });
}
