/**
 * Rows of a read model that are made beside those that are served, until all are there: those of a declaration that has changed,
 * or of a model that is rebuilt. Then they take the places of the others in one write, so nobody is served rows of both.
 */
import * as z from 'zod';
import { resource } from '../../shared/contract/resource.ts';
import { toIndex } from '../../shared/contract/shapes.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { inTime } from '../feed/consumer.ts';
import type { ListRequest, Mutation, Store } from '../store/store.ts';

export const rowsBeside = resource({
  name: 'tombolo_read_model_rows', internal: true, id: { kind: 'string', format: z.string() },
  rev: false, createdAt: false, updatedAt: false,
  /** `row`: without its id, as JSON. */
  schema: z.object({ model: z.string(), key: z.string(), row: z.string() }), shapes: { ofModel: { equal: ['model'] } },
});

/** `undefined`: the key has no row. */
export function writingBeside(model: string, key: string, row: JsonObject | undefined): Mutation {
  const id = new Bun.CryptoHasher('sha256').update(JSON.stringify([model, key])).digest('hex');
  return {
    resource: rowsBeside, id,
    decide: (found) => {
      if (row === undefined) return { kind: found === undefined ? 'keep' : 'remove' };
      return { kind: 'put', document: { model, key, row: JSON.stringify(row) } };
    },
  };
}

/** Of some of the rows that are left; none: there are none. */
export async function removingBeside(store: Store, model: string, limit: number): Promise<readonly Mutation[]> {
  const { value } = await store.list(rowsBeside, requestOf(model, limit), inTime());
  return value.map(({ document: { id } }): Mutation => ({ resource: rowsBeside, id, decide: () => ({ kind: 'remove' }) }));
}

/** All of them by their keys, or `undefined` where there are more than `max`. */
export async function rowsBesideOf(store: Store, model: string, max: number): Promise<ReadonlyMap<string, JsonObject> | undefined> {
  const { value } = await store.list(rowsBeside, requestOf(model, max + 1), inTime());
  if (value.length > max) return undefined;
  return new Map(value.map(({ document: { value: found } }) => [String(found['key']), JSON.parse(String(found['row'])) as JsonObject]));
}

function requestOf(model: string, limit: number): ListRequest {
  return { equal: { model: [model] }, range: undefined, sort: idOrder, where: true, after: undefined, limit };
}

export const idOrder = [{ field: 'id', descending: false }];

/** Both engines have documents in the order of their ids without an index that is declared. */
export const indexById = toIndex([], idOrder, () => false);
