/**
 * Related documents beside those that were asked for: each relation of a level is a read of the store, however many documents
 * lead to it (a second one where ids of an array lead to nothing that is seen), and shows what its target's own rules let the
 * caller see. What they may not see is what is not there. The answer states what it depends on, as an endpoint's does
 * (SEMANTICS §1, §18).
 */
import { mustExpandInScope } from '../../shared/api-keys/scopes.ts';
import { dependenciesOfDocument, dependenciesOfList } from '../../shared/contract/dependencies.ts';
import { type Expansion, expansionDigest, targetsOf } from '../../shared/contract/expansion.ts';
import { valueAt, valuesAt } from '../../shared/contract/path.ts';
import type { ListQuery } from '../../shared/contract/query.ts';
import type { Relation } from '../../shared/contract/relations.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Shape } from '../../shared/contract/shapes.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Json, JsonObject, Scalar } from '../../shared/wire/values.ts';
import type { Asked, StateAnswer } from '../call.ts';
import type { Context } from '../context.ts';
import { declaredIn } from '../documents/declared.ts';
import { hiddenPaths, shownOf } from '../documents/hidden-places.ts';
import { inStore } from '../documents/in-store.ts';
import { type Page, readPage } from '../documents/page.ts';
import { mustReadable, piecesPresenter, type Question, shownCopy, visible } from '../documents/present.ts';
import { idValueIn, toIdIn } from '../documents/related-ids.ts';
import { absentAt, conditional, readOptions, type StateFacts } from '../documents/representation.ts';
import { mustBeServable } from '../documents/servable.ts';
import type { Row } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { onBehalfOf } from './on-behalf.ts';
import { ReadLedger } from './read-ledger.ts';

type Expansions = readonly Expansion[];

/** The call's document with what is related to it, or its absence. */
export async function expandedDocument(
  context: Context, call: Asked, fields: readonly string[] | undefined, expand: Expansions,
): Promise<StateAnswer> {
  const expander = new Expander(context, call, expand);
  const { resource, id, principal, rights: { readable } } = call;
  const reading = context.store.get(resource, id, readOptions(call));
  const { value, position } = await expander.ledger.reading(dependenciesOfDocument(resource, id), reading);
  const document = visible(value, readable);
  if (document === undefined) return absentAt(position);
  mustBeServable(resource, document);
  const [shown = []] = await expander.beside(call, [document], [piecesPresenter(resource, principal, fields)(document)]);
  return conditional(call, shown, { readAt: expander.ledger.position ?? position, ...expander.made() });
}

export async function expandedPage(context: Context, call: Asked, query: ListQuery, expand: Expansions): Promise<Page> {
  const expander = new Expander(context, call, expand);
  const page = await expander.ledger.reading(dependenciesOfList(call.resource, query), readPage(context, call, query));
  const shown = await expander.beside(call, page.rows.map(({ document }) => document), page.shown);
  return { ...page, shown, position: expander.ledger.position ?? page.position, made: expander.made() };
}

class Expander {
  readonly ledger = new ReadLedger();
  readonly #context: Context;
  readonly #call: Asked;
  readonly #expand: Expansions;

  /** Refuses an API key that has no scope for it, and a caller who may not ask by a field that a relation lists by. */
  constructor(context: Context, call: Asked, expand: Expansions) {
    this.#context = context;
    this.#call = call;
    this.#expand = expand;
    mustExpandInScope(call.principal, expand);
    this.#mustBeAskable(expand);
  }

  /** What was shown of each document, with what is related to it. */
  async beside(asked: Asked, documents: readonly StoredDocument[], shown: Page['shown']): Promise<Page['shown']> {
    const members = await this.#members(asked, documents, this.#expand);
    return shown.map((pieces, index) => [JSON.stringify({ ...(JSON.parse(pieces.join('')) as JsonObject), ...members[index] })]);
  }

  made(): Pick<StateFacts, 'alsoRead' | 'stated'> {
    const alsoRead = targetsOf(this.#expand).filter(({ name }) => name !== this.#call.resource.name);
    return { alsoRead, stated: { ...this.ledger.stated(expansionDigest(this.#expand)), reader: this.#call.principal } };
  }

  #mustBeAskable(expand: Expansions): void {
    for (const { relation: { shape, field, target }, below } of expand) {
      if (shape !== undefined) mustReadable(target, this.#call.principal, toQuery(shape, { [field]: [] }));
      this.#mustBeAskable(below);
    }
  }

  /** A member for each relation, for each document. */
  async #members(asked: Asked, documents: readonly StoredDocument[], expand: Expansions): Promise<readonly JsonObject[]> {
    const columns = await Promise.all(expand.map(async ({ relation, below }) => {
      const target = this.#asked(relation.target);
      const { shape } = relation;
      const values = shape === undefined
        ? await this.#followed(asked, documents, { relation, below, target })
        : await this.#listed(documents, { relation, below, target, shape });
      return { name: relation.name, values };
    }));
    return documents.map((_, index) => Object.fromEntries(columns.map(({ name, values }) => [name, values[index] ?? null])));
  }

  async #followed(asked: Asked, documents: readonly StoredDocument[], { relation, below, target }: Following): Promise<readonly Json[]> {
    const ids = documents.map((document) => idsIn(asked, document, relation));
    const found = await this.#firstSeen(target, ids, relation.limit);
    const shown = await this.#shown(target, found.documents, below);
    const byId = new Map(found.documents.map(({ id }, index) => [id, shown[index] ?? null]));
    return found.ids.map((each) => {
      const members = each.flatMap((id) => byId.get(id) ?? []);
      return relation.isList ? members : (members[0] ?? null);
    });
  }

  /** The first ids of each list whose documents are seen, and these: behind the `limit` first ids it looks where some are not. */
  async #firstSeen(target: Asked, lists: readonly (readonly string[])[], limit: number) {
    const seen = new Map<string, StoredDocument>();
    const firstOf = (ids: readonly string[]) => ids.filter((id) => seen.has(id)).slice(0, limit);
    const read = async (ids: ReadonlySet<string>) => {
      for (const document of await this.#read(target, [...ids])) seen.set(document.id, document);
    };
    const first = new Set(lists.flatMap((ids) => ids.slice(0, limit)));
    await read(first);
    const behind = lists.flatMap((ids) => (firstOf(ids.slice(0, limit)).length < limit ? ids.slice(limit) : []));
    await read(new Set(behind.filter((id) => !first.has(id))));
    const ids = lists.map(firstOf);
    return { ids, documents: [...new Set(ids.flat())].flatMap((id) => seen.get(id) ?? []) };
  }

  /** Those that the caller sees. */
  async #read(target: Asked, ids: readonly string[]): Promise<readonly StoredDocument[]> {
    const { resource, rights: { readable } } = target;
    if (ids.length === 0 || readable === false) return [];
    const dependencies = ids.flatMap((id) => dependenciesOfDocument(resource, id));
    const { value } = await this.ledger.reading(dependencies, this.#context.store.many(resource, ids, readOptions(target)));
    return value.filter((document) => visible(document, readable) !== undefined);
  }

  async #listed(documents: readonly StoredDocument[], listing: Listing): Promise<readonly Json[]> {
    const { target, below } = listing;
    const values = documents.map(({ id }) => idValueIn(target.resource, listing.relation.field, id));
    const rows = await this.#lists(values, listing);
    const shown = await this.#shown(target, rows.flat().map(({ document }) => document), below);
    let at = 0;
    return rows.map((each) => shown.slice(at, (at += each.length)));
  }

  /** Nothing is listed by what no document of the target can hold. */
  async #lists(values: readonly (Scalar | undefined)[], listing: Listing): Promise<readonly (readonly Row[])[]> {
    const { relation: { field, limit }, target, shape } = listing;
    const { resource, rights: { readable } } = target;
    const wanted = values.flatMap((value) => (value === undefined ? [] : [value]));
    if (wanted.length === 0 || readable === false) return values.map(() => []);
    const dependencies = dependenciesOfList(resource, toQuery(shape, { [field]: wanted }));
    const requests = wanted.map((value) => ({ ...toQuery(shape, { [field]: [value] }), where: readable, after: undefined, limit }));
    const { value: found } = await this.ledger.reading(dependencies, this.#context.store.lists(resource, requests, readOptions(target)));
    let at = 0;
    return values.map((value) => (value === undefined ? [] : (found[at++] ?? [])));
  }

  /** Each as `get` shows it, with what is related to it. */
  async #shown(target: Asked, documents: readonly StoredDocument[], below: Expansions): Promise<readonly JsonObject[]> {
    for (const document of documents) mustBeServable(target.resource, document);
    const shown = documents.map((document) => shownCopy(target, document));
    if (below.length === 0) return shown;
    const members = await this.#members(target, documents, below);
    return shown.map((document, index) => ({ ...document, ...members[index] }));
  }

  #asked(target: Resource): Asked {
    return onBehalfOf(this.#call, this.#call.principal)(inStore(this.#context.store, target));
  }
}

interface Following {
  readonly relation: Relation;
  readonly below: Expansions;
  /** The call as if it had been about the target. */
  readonly target: Asked;
}

interface Listing extends Following {
  readonly shape: Shape;
}

/** All that the shape finds of these. */
function toQuery(shape: Shape, equal: ListQuery['equal']): Question {
  return { shape, equal, range: undefined, residual: [], sort: shape.sorts[0] ?? [] };
}

/** The ids that a document holds where its caller may see them, each once: what its branch does not declare is shown to nobody. */
function idsIn(asked: Asked, document: StoredDocument, { field, target, isList, limit }: Relation): readonly string[] {
  const seen = shownOf(declaredIn(asked.resource, document).value, hiddenPaths(asked, document.value));
  if (isList) {
    const ids = new Set(valuesAt(seen, field).flatMap((held) => toIdIn(target, held) ?? []));
    return [...ids].slice(0, limit * limits.expandIdsPerDocument);
  }
  const id = toIdIn(target, valueAt(seen, field));
  return id === undefined ? [] : [id];
}
