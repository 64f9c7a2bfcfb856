/**
 * Documents as they stand in the reader's snapshot, in memory, so that a list reads its ids from an index alone. The snapshot
 * itself tells what is new: `data_version` of this connection moves with each commit of any other, and the log says whose
 * documents it was about. What the log cannot tell (a gap, many changes, a schema that others changed, which may be without
 * its triggers) forgets all.
 *
 *   looked at ──data_version as before──▶ as it was
 *             ──few entries, without a gap──▶ without their documents
 *             ──anything else──▶ empty
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { storeLimits } from '../../limits.ts';
import type { StoredDocument } from '../../stored-document.ts';
import { limitBound, type StoreDatabase } from '../connection/database.ts';

type Entry = readonly [seq: number, token: string, resource: string, id: string, kind: string];

/** What a document takes beside its text, roughly; its text stands twice where somebody looked inside. */
const entryCharacters = 512;

export class KeptDocuments {
  readonly #dataVersion;
  readonly #schemaVersion;
  readonly #entries;
  readonly #end;
  /** `undefined`: nobody knows whether the triggers that write the log are there. */
  readonly #soundSchema: () => number | undefined;
  /** Documents in the order in which they came: the oldest goes first. */
  readonly #kept = new Map<string, StoredDocument>();
  #characters = 0;
  #seen: { data: number | undefined; sound: number | undefined } = { data: undefined, sound: undefined };
  #at: Entry | undefined;
  #isTold = false;

  constructor(database: StoreDatabase, soundSchema: () => number | undefined) {
    this.#soundSchema = soundSchema;
    this.#dataVersion = database.prepare<{ data_version: number }, []>('PRAGMA data_version');
    this.#schemaVersion = database.prepare<{ schema_version: number }, []>('PRAGMA schema_version');
    const entries = 'SELECT "seq", "token", "resource", "id", "kind" FROM "_log"';
    this.#entries = database.prepare<Entry, [from: number, max: number]>(`${entries} WHERE "seq" >= ? ORDER BY "seq" ${limitBound}`);
    this.#end = database.prepare<Entry, []>(`${entries} ORDER BY "seq" DESC LIMIT 1`);
  }

  /** Called in a snapshot, before what is kept is asked for there. */
  look(): void {
    const data = this.#dataVersion.get()?.data_version;
    const sound = this.#soundSchema();
    if (data === this.#seen.data && sound === this.#seen.sound) return;
    this.#seen = { data, sound };
    this.#isTold = sound !== undefined && this.#schemaVersion.get()?.schema_version === sound;
    if (!this.#isTold || !this.#catchUp()) this.#restart();
  }

  find({ name }: Resource, id: string): StoredDocument | undefined {
    return this.#kept.get(`${name} ${id}`);
  }

  keep({ name }: Resource, document: StoredDocument): void {
    if (!this.#isTold) return;
    this.#kept.set(`${name} ${document.id}`, document);
    this.#characters += charactersOf(document);
    for (const key of this.#kept.keys()) {
      if (this.#characters <= storeLimits.keptDocumentsCharactersMax) break;
      this.#drop(key);
    }
  }

  /** Drops what has changed; false where that is not known. */
  #catchUp(): boolean {
    const { keptDocumentsChangesMax } = storeLimits;
    if (this.#at === undefined) return false;
    const [first, ...news] = asEntries(this.#entries.values(this.#at[0], keptDocumentsChangesMax + 2));
    if (first?.[1] !== this.#at[1] || news.length > keptDocumentsChangesMax) return false;
    for (const entry of news) {
      const [seq, , resource, id, kind] = entry;
      if (seq !== this.#at[0] + 1 || kind === 'resource') return false;
      this.#drop(`${resource} ${id}`);
      this.#at = entry;
    }
    return true;
  }

  #restart(): void {
    this.#kept.clear();
    this.#characters = 0;
    this.#at = asEntries(this.#end.values())[0];
  }

  #drop(key: string): void {
    const document = this.#kept.get(key);
    if (document === undefined) return;
    this.#kept.delete(key);
    this.#characters -= charactersOf(document);
  }
}

function charactersOf({ pieces }: StoredDocument): number {
  return pieces.reduce((sum, piece) => sum + piece.length * 2, entryCharacters);
}

/** The log's columns have these types (system-records.ts). */
function asEntries(values: readonly (readonly unknown[])[]): readonly Entry[] {
  return values as unknown as readonly Entry[];
}
