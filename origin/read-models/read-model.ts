/**
 * Read models (SEMANTICS §21): a resource whose documents, its rows, are made of documents of other resources, as films' mean
 * ratings are of reviews. Each row is of a key, the value of a field of its sources, and has it as its id.
 *
 * A model is a consumer of the feed (SEMANTICS §21). After a change it makes the rows of the keys that stood in the document
 * before and after, each anew, from all documents of the key, found by an index and read at or after the change; rows and
 * cursor are one commit. Nothing is added to what was there, so a row cannot drift. It costs a read of the key's documents for
 * each key and batch of changes. Callers only read the rows.
 */
import type { DocumentOf } from '../access/document-of.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Rule } from '../../shared/contract/rules.ts';

export interface Source {
  readonly of: Resource;
  /** The field that has the key: one text in each document, and all that a shape asks by equality; or `id`. */
  readonly by: string;
  /** Which documents, by equalities: all of them unless said. The shape's index must have them, as that of a read rule does. */
  readonly where?: Rule;
}

/** Documents of a source that have the key, not the removed among them, in no order; each iteration reads them. */
export type SourceDocuments = <R extends Resource>(source: R) => AsyncIterable<DocumentOf<R>>;

export interface ReadModel {
  /** Names the model's cursor: under another name it is a new model, whose rows are all made once. */
  readonly name: string;
  /** Another text where `make` comes to something else, and its own text does not show it: what it calls was changed. */
  readonly version?: string;
  readonly from: readonly Source[];
  /** Its rows; `nobody` may write them. */
  readonly into: Resource;
  /** The row of a key without its id, or `undefined`: there is none. It depends on the documents alone. */
  make(key: string, documents: SourceDocuments): Promise<object | undefined>;
}

/** A digest of what the rows follow from: the text of `make` and what it reads. */
export function declarationOf({ version = '', from, make }: ReadModel): string {
  const sources = from.map(({ of, by, where }) => [of.name, by, where]);
  return new Bun.CryptoHasher('sha256').update(JSON.stringify([version, make.toString(), sources])).digest('hex').slice(0, 32);
}

/** Exported for the files of `origin/hooks`. */
export function readModel(declared: ReadModel): ReadModel {
  return declared;
}
