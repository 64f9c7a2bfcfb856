import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { piecesPresenter, visible } from '../documents/present.ts';
import { conditional, readOptions } from '../documents/representation.ts';
import { mustBeServable } from '../documents/servable.ts';

/** One document, or its absence, which is what whoever may not see it is told too. */
export async function get(context: Context, call: Call<typeof documents.get>): Promise<Answer> {
  const { resource, id, principal, rights: { readable } } = call;
  const { value: found, position } = await context.store.get(resource, id, readOptions(call));
  const document = visible(found, readable);
  if (document === undefined) return { outcome: 'absent', readAt: position };
  mustBeServable(resource, document);
  return { ...conditional(call, piecesPresenter(resource, principal, call.input)(document)), readAt: position };
}
