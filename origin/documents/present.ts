/**
 * A stored document as this caller may see it: what the schema does not name is left out, then field rules and the
 * projection are applied. Where neither leaves anything out the stored bytes are the answer, and nothing is parsed.
 */
import { Fault } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { membersOf } from '../../shared/contract/place-members.ts';
import { isWithin, only, toPathTree, without } from '../../shared/contract/path.ts';
import type { ListQuery } from '../../shared/contract/query.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { type Predicate, reduce, satisfies } from '../../shared/contract/rules.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { declaredIn } from './declared.ts';

/** `now`: the same document as it is now, where `document` is an image from before; a field that either hides is hidden. */
export type Present = (document: StoredDocument, now?: StoredDocument) => string;

export function presenter(resource: Resource, principal: Principal, fields: readonly string[] | undefined): Present {
  const toPieces = piecesPresenter(resource, principal, fields);
  return (document, now) => toPieces(document, now).join('');
}

/** The same in pieces, for whoever writes them into a body. */
export function piecesPresenter(
  resource: Resource,
  principal: Principal,
  fields: readonly string[] | undefined,
): (document: StoredDocument, now?: StoredDocument) => readonly string[] {
  const guarded = guardedFields(resource, principal);
  if (guarded.length === 0 && fields === undefined) return (document) => declaredIn(resource, document).pieces;
  const wanted = fields === undefined ? undefined : toPathTree(['id', ...fields]);
  const all = toPathTree(guarded.map(([path]) => path));
  return (document, now) => {
    const hidden = guarded
      .filter(([, rule]) => !satisfies(document.value, rule) || (now !== undefined && !satisfies(now.value, rule)))
      .map(([path]) => path);
    const { value } = declaredIn(resource, document);
    const shown = hidden.length === 0 ? value : without(value, hidden.length === guarded.length ? all : toPathTree(hidden));
    return [JSON.stringify(wanted === undefined ? shown : only(shown, wanted))];
  };
}

/** The document as this caller sees it, for whoever computes with it: a copy, so that what is stored stays as it was read. */
export function shownCopy({ resource, principal }: Asked, document: StoredDocument): JsonObject {
  return JSON.parse(presenter(resource, principal, undefined)(document)) as JsonObject;
}

/** Paths whose read rule this principal does not pass outright, each with what it leaves to the document. */
export function guardedFields(resource: Resource, principal: Principal): readonly (readonly [string, Predicate])[] {
  return Object.entries(resource.fieldRules).flatMap(([field, { read }]) => {
    const predicate = read === undefined ? true : reduce(read, principal);
    return predicate === true ? [] : [[field, predicate] as const];
  });
}

/** What the caller may not see is not there (SEMANTICS §8). Where all may see all, nothing is parsed. */
export function visible(document: StoredDocument | undefined, readable: Predicate): StoredDocument | undefined {
  return document !== undefined && (readable === true || satisfies(document.value, readable)) ? document : undefined;
}

/** What a query asks of documents. */
export type Question = Pick<ListQuery, 'shape' | 'equal' | 'range' | 'residual' | 'sort'>;

/** A filter or an order over a field tells its values: whoever may not read it everywhere may not ask by it. */
export function mustReadable(resource: Resource, principal: Principal, query: Question): void {
  const guarded = guardedFields(resource, principal).map(([field]) => field);
  const asked = [
    ...Object.keys(query.equal),
    ...(query.shape.text ?? []),
    ...(query.shape.place === undefined ? [] : membersOf(query.shape.place)),
    ...(query.range === undefined ? [] : [query.range.field]),
    ...query.sort.map((key) => key.field),
    ...query.residual.map(({ field }) => field),
  ];
  const refused = asked.find((field) => guarded.some((path) => isWithin(field, path)));
  if (refused !== undefined) {
    throw new Fault('forbidden', {
      detail: `you may not filter or sort by ${refused}`,
      errors: [{ at: refused, in: 'query', detail: 'not readable' }],
    });
  }
}
