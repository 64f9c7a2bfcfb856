/**
 * The commits of a MongoDB store, from the test server's own log: every entry that a majority has had, taken as
 * the commit point passes it, so that nothing that is forgotten or rolled back later changes what was true. Only
 * the form of positions is the engine's (origin/store/mongo/feed/positions.ts).
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { timeOfToken, toChangePosition, tokenText } from '../../../../origin/store/mongo/feed/positions.ts';
import { toValue } from '../../../../origin/store/mongo/read/documents.ts';
import { type Doc, type Operation, type OplogEntry, type Server, toToken } from '../../../mongod/mongod.ts';
import { type CommitSource, toCommit } from '../commits.ts';
import type { Commit } from '../history.ts';

type DocumentOperation = Extract<Operation, { kind: 'insert' | 'update' | 'delete' }>;

const metaName = 'tombolo_meta';

export interface OplogScope {
  readonly database: string;
  /** What the engine holds: its stream shows the internal ones too. */
  readonly stored: readonly Resource[];
}

export class OplogCommits implements CommitSource {
  readonly #server: Server;
  readonly #database: string;
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #entries: OplogEntry[] = [];
  readonly #commits: Commit[] = [];
  #epoch = '';
  /** Cluster time of the last entry taken. */
  #takenAt = 0;

  constructor(server: Server, { database, stored }: OplogScope) {
    this.#server = server;
    this.#database = database;
    this.#resources = new Map(stored.map((resource) => [resource.collection, resource]));
    for (const { oplog } of server.members) oplog.onChange(() => this.#take());
    this.#take();
  }

  read(): readonly Commit[] {
    this.#take();
    const primary = this.#server.memberOf(undefined);
    const lost = this.#entries.find(({ at, term }) => at > primary.oplog.truncatedAt && primary.oplog.find(at)?.term !== term);
    if (lost !== undefined) throw new Error(`the test server has lost an entry that a majority had, at ${lost.at} of term ${lost.term}`);
    return this.#commits;
  }

  forget(): void {
    this.#take();
    this.#server.forgetLog();
  }

  #take(): void {
    const { primary } = this.#server.set;
    if (primary === null) return;
    for (const entry of primary.oplog.from(this.#takenAt)) {
      if (entry.at > primary.commitAt) return;
      if (primary.oplog.truncatedAt > this.#takenAt) throw new Error('the log was forgotten before it was read');
      this.#takenAt = entry.at;
      this.#entries.push(entry);
      this.#takeEntry(entry);
    }
  }

  #takeEntry(entry: OplogEntry): void {
    let index = 0;
    entry.operations.forEach((operation, number) => {
      if (!isOfDocument(operation) || !this.#isWatched(operation)) return;
      if (operation.collection === metaName) this.#epoch = epochOf(operation) ?? this.#epoch;
      else this.#takeOperation(entry.at, { operation, number, index });
      index++;
    });
  }

  /** What the engine's change stream shows: only that counts for the ordinal inside a transaction. */
  #isWatched({ db, collection }: DocumentOperation): boolean {
    return db === this.#database && (collection === metaName || this.#resources.has(collection));
  }

  #takeOperation(
    at: number,
    { operation, number, index }: { readonly operation: DocumentOperation; readonly number: number; readonly index: number },
  ): void {
    const token = toToken({ at, operation: number, step: 0, fragment: 0, kind: 'event', uuid: operation.uuid.toHexString(false) });
    const { before, after } = imagesOf(operation);
    const id = String((after ?? before)?.['_id']);
    const resource = this.#resources.get(operation.collection);
    if (resource === undefined || resource.internal) return;
    const toImage = (image: Doc | undefined): JsonObject | undefined => image && toValue(resource, id, image);
    const position = toChangePosition(this.#epoch, { time: timeOfToken(token), index, token: tokenText(token) });
    const commit = toCommit({ position, resource: resource.name, id, before: toImage(before), after: toImage(after) });
    if (commit !== undefined) this.#commits.push(commit);
  }
}

function isOfDocument(operation: Operation): operation is DocumentOperation {
  return operation.kind === 'insert' || operation.kind === 'update' || operation.kind === 'delete';
}

function imagesOf(operation: DocumentOperation): { readonly before: Doc | undefined; readonly after: Doc | undefined } {
  if (operation.kind === 'insert') return { before: undefined, after: operation.doc };
  return { before: operation.before, after: operation.kind === 'update' ? operation.doc : undefined };
}

function epochOf(operation: DocumentOperation): string | undefined {
  const { after } = imagesOf(operation);
  return after?.['_id'] === 'epoch' ? String(after['value']) : undefined;
}
