/**
 * What the handler of an operation that is safe is given: documents of its call's resource as its caller may see them,
 * and no way past that. The row rule, the field rules and the preconditions hold in each method here, so a handler that
 * forgets them has forgotten nothing (SEMANTICS §3, §8). The store stays in a private member, out of reach of a cast.
 */
import type { AggregateQuery } from '../../shared/aggregates/aggregate-query.ts';
import type { DocumentQuery, ListQuery } from '../../shared/contract/query.ts';
import type { HistoryPage } from '../../shared/history/operations.ts';
import type { ExportQuery } from '../../shared/operations/export-query.ts';
import type { FeedInput } from '../../shared/operations/feed.ts';
import { type Aggregated, readAggregate } from '../aggregates/read-aggregate.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { Context } from '../context.ts';
import { expandedDocument, expandedPage } from './expanded.ts';
import { countFound, estimateFound, type Page, readPage, readValues, type Total, type Values } from '../documents/page.ts';
import { piecesPresenter, visible } from '../documents/present.ts';
import { ofRemoved } from '../documents/removed.ts';
import { absentAt, conditional, readOptions, type StateFacts } from '../documents/representation.ts';
import { mustBeServable } from '../documents/servable.ts';
import { openExport } from '../export/open-export.ts';
import { readHistory } from '../history/read-history.ts';
import { followResource } from '../live/follow.ts';
import type { Read } from '../store/store.ts';

export class ReadAccess {
  readonly #context: Context;
  readonly #call: Asked;

  constructor(context: Context, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  /** The call's document, or its absence, which is what whoever may not see it is told too. */
  async get(query: DocumentQuery | undefined): Promise<StateAnswer> {
    if (query?.expand !== undefined) return expandedDocument(this.#context, this.#call, query.fields, query.expand);
    const { resource, id, principal, rights: { readable } } = this.#call;
    const { value: found, position } = await this.#context.store.get(resource, id, readOptions(this.#call));
    const document = visible(found, readable);
    if (document === undefined) return absentAt(position);
    mustBeServable(resource, document);
    return conditional(this.#call, piecesPresenter(resource, principal, query?.fields)(document), { readAt: position });
  }

  /** A page of documents that the caller sees, found by fields that they may read. */
  page(query: ListQuery): Promise<Page> {
    const { expand } = query;
    return expand === undefined ? readPage(this.#context, this.#call, query) : expandedPage(this.#context, this.#call, query, expand);
  }

  /** A page of the distinct values of a field in them. */
  values(query: ListQuery, field: string): Promise<Values> {
    return readValues(this.#context, this.#call, query, field);
  }

  /** How many documents the query finds among those that the caller sees, up to `max`. */
  count(query: ListQuery, max: number): Promise<Read<Total>> {
    return countFound(this.#context.store, this.#call, query, max);
  }

  /** About how many, for little work. */
  estimate(query: ListQuery): Promise<Read<Total>> {
    return estimateFound(this.#context.store, this.#call, query);
  }

  /** Groups of documents that the caller sees, by fields that they may read in all of them. */
  aggregate(query: AggregateQuery): Promise<Aggregated> {
    return readAggregate(this.#context, this.#call, query);
  }

  /** The state that was read as JSON in pieces: what the conditions of the call leave of it (RFC 9110 §13.2.2). */
  represent(pieces: readonly string[], facts: StateFacts): StateAnswer {
    return conditional(this.#call, pieces, facts);
  }

  /** The same for documents that are removed, for whoever the rule `restore` lets in. */
  ofRemoved(): ReadAccess {
    return new ReadAccess(this.#context, ofRemoved(this.#call));
  }

  /** The changes of the resource as far as the caller may see them. */
  follow(input: FeedInput): Answer {
    return followResource(this.#context, this.#call, input);
  }

  /** All documents that the query finds among those that the caller sees, of one state, as a stream. */
  export(query: ExportQuery): Promise<Answer> {
    return openExport(this.#context, this.#call, query);
  }

  /** What was changed of the call's document, as far as the rule `history` shows it to the caller. */
  history(page: HistoryPage): Promise<Answer> {
    return readHistory(this.#context, this.#call, page);
  }

  now(): number {
    return this.#context.now();
  }

  get log(): Context['log'] {
    return this.#context.log;
  }

  /** Work that would hold the loop up for more than 5 ms is done there. */
  get compute(): Context['compute'] {
    return this.#context.compute;
  }
}
