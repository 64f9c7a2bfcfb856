/** A store of any number of documents on either engine, and what a question makes it look into. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { storeLimits } from '../../../origin/store/limits.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { many, to } from '../../../shared/contract/relations.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer, point } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin, type DocumentOperation } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import type { Engine } from '../../support/whole-world.ts';

/** Documents that have one value of `kind`. */
export const ofOneKind = 100;
const writtenAtOnce = 1_000;
/** So long that a page of SQLite has no two documents. */
const note = 'n'.repeat(2_100);
interface Quiet {
  readonly ms: number;
  readonly looksMax: number;
}
/** Of a store whose consumers have followed, and between two steps of what a store does beside its answers. */
const [followedQuiet, quietTimes, stepQuiet]: [Quiet, number, Quiet] = [{ ms: 500, looksMax: 40 }, 3, { ms: 10, looksMax: 10 }];
/** They stand on a grid that grows to the north and south alone, so that as many are around each. */
const [columns, degreesBetween] = [100, 0.05];

const declared = resource({
  name: 'things', id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    kind: z.string(), rank: integer(), size: integer(), title: z.string(), name: z.string(), tags: z.array(z.string()),
    next: z.string().optional(), at: point(), note: z.string(),
  }),
  rules: { read: anyone, write: anyone },
  shapes: {
    all: {},
    byKind: { equal: ['kind'], range: 'rank', sort: ['-rank'], beside: ['size'] },
    byTag: { equal: ['tags'], sort: ['-rank'] },
    byNext: { equal: ['next'] },
    inKindOrder: { range: 'kind', sort: ['kind'] },
    byTitle: { prefix: 'title', sort: ['title'] },
    byName: { prefix: 'name', folded: ['name'], sort: ['name'] },
    byText: { text: ['title'], sort: ['-rank'] },
    onMap: { place: 'at' },
  },
  aggregates: { ofKind: { equal: ['kind'], group: ['size'], of: ['rank'] } },
  relations: { next: to('things', 'next'), previous: many('things', 'next') },
});
const served = contract(declared);
/** With its relation, whose target the contract knows. */
const things = served.resources.get('things') ?? declared;

/** What a question makes a database do. */
export interface Look {
  /** Pages on SQLite, else entries or documents, whichever are more. */
  readonly examined: number;
  /** Walks of a collection by no index, which MongoDB alone counts. */
  readonly collectionScans: number;
}

export class CountedStore implements AsyncDisposable {
  readonly documents: number;
  readonly #origin: DirectOrigin;
  readonly #soFar: () => Promise<Look> | Look;
  readonly #remove: () => Promise<void> | void;
  readonly #forgets: boolean;

  static async on(engine: Engine, documents: number): Promise<CountedStore> {
    const { variables, soFar, remove } = await (engine === 'mongodb' ? onMongo() : onSqlite());
    try {
      const origin = await DirectOrigin.open({ ...variables, TOMBOLO_ANSWERS_BYTES_MAX: '0' }, served);
      const store = new CountedStore({ documents, origin, soFar, remove, forgets: engine === 'sqlite' });
      await store.#fill();
      return store;
    } catch (error) {
      await remove();
      throw error;
    }
  }

  private constructor(given: {
    readonly documents: number;
    readonly origin: DirectOrigin;
    readonly soFar: () => Promise<Look> | Look;
    readonly remove: () => Promise<void> | void;
    readonly forgets: boolean;
  }) {
    this.documents = given.documents;
    this.#origin = given.origin;
    this.#soFar = given.soFar;
    this.#remove = given.remove;
    this.#forgets = given.forgets;
  }

  /**
   * What a question looks into. It must find something. It is asked when nothing else is looked into: on SQLite a store counts
   * every five seconds what its log has grown by, a thousand entries in each turn, and an export gives it turns (tidy.ts).
   */
  async looked(operation: DocumentOperation, asking: DirectAsking): Promise<Look> {
    if (this.#forgets) await this.#forget();
    await eventually('nothing else is looked into', () => this.#isQuiet(stepQuiet), { msMax: 60_000 });
    const before = await this.#soFar();
    mustFind(await this.#origin.ask(operation, things, asking));
    const after = await this.#soFar();
    return { examined: after.examined - before.examined, collectionScans: after.collectionScans - before.collectionScans };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#origin[Symbol.asyncDispose]();
    await this.#remove();
  }

  async #fill(): Promise<void> {
    const { store, services } = this.#origin.context;
    await eventually('the entries of no documents are made', async () =>
      Object.values(await services.states()).every(({ pending = [] }) => pending.length === 0));
    for (let from = 0; from < this.documents; from += writtenAtOnce) {
      const numbers = Array.from({ length: Math.min(writtenAtOnce, this.documents - from) }, (_, index) => from + index);
      const mutations = numbers.map((number) => ({
        resource: things, id: toId(number), decide: () => ({ kind: 'put', document: toDocument(number, this.documents) }) as const,
      }));
      await store.write(mutations, { deadline: Date.now() + 60_000 });
    }
    // Consumers follow the writes, in batches with pauses between.
    let quiet = 0;
    await eventually('nothing but what looks now and then is looked into', async () => {
      const isQuiet = await this.#isQuiet(followedQuiet);
      // One that is behind says so.
      const isBehind = Object.values(await services.states()).some(({ detail }) => detail !== undefined);
      quiet = isQuiet && !isBehind ? quiet + 1 : 0;
      return quiet === quietTimes;
    }, { msMax: 3_600_000 });
  }

  async #isQuiet({ ms, looksMax }: Quiet): Promise<boolean> {
    const before = await this.#soFar();
    await Bun.sleep(ms);
    return (await this.#soFar()).examined - before.examined < looksMax;
  }

  /** So many changes at once that SQLite's readers begin anew: with no document, and no page, in memory. */
  async #forget(): Promise<void> {
    const changes = Array.from({ length: storeLimits.keptDocumentsChangesMax + 1 }, (_, number) => ({
      resource: things, id: `other${number}`,
      decide: () => ({ kind: 'put', document: { ...toDocument(number, 1), kind: 'other', size: Date.now() } }) as const,
    }));
    await this.#origin.context.store.write(changes, { deadline: Date.now() + 30_000 });
  }
}

function mustFind({ outcome, detail, text, json: { data } }: DirectAnswer): void {
  const isEmpty = text === '' || (Array.isArray(data) && data.length === 0);
  if ((outcome !== 'found' && outcome !== 'streaming') || isEmpty) throw new Error(`${outcome}: ${detail ?? 'nothing'}`);
}

interface Counted {
  readonly variables: Readonly<Record<string, string>>;
  readonly soFar: () => Promise<Look> | Look;
  readonly remove: () => Promise<void> | void;
}

async function onMongo(): Promise<Counted> {
  const { uri, foreign, remove } = await openMongoDatabase();
  const soFar = async () => {
    const { metrics } = await foreign.admin().command({ serverStatus: 1 });
    const { scanned, scannedObjects, collectionScans } = (metrics as Metrics).queryExecutor;
    // Of change streams, which have no other way, the others are the tailable ones.
    return { examined: Math.max(Number(scanned), Number(scannedObjects)), collectionScans: Number(collectionScans.nonTailable) };
  };
  return { variables: { MONGODB_URI: uri }, soFar, remove };
}

interface Metrics {
  /** https://www.mongodb.com/docs/manual/reference/command/serverStatus/#metrics */
  readonly queryExecutor: {
    readonly scanned: number;
    readonly scannedObjects: number;
    readonly collectionScans: { readonly nonTailable: number };
  };
}

function onSqlite(): Counted {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-bounds-'));
  const soFar = () => ({ examined: readsOfThisProcess(), collectionScans: 0 });
  return { variables: { TOMBOLO_DATA_DIR: dataDir }, soFar, remove: () => rmSync(dataDir, { recursive: true }) };
}

/** proc_pid_io(5). SQLite reads each page by a call of its own (`pread`), and nothing else here reads a file. */
function readsOfThisProcess(): number {
  return Number(/^syscr: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

function toDocument(number: number, documents: number): JsonObject {
  const kind = toKind(number);
  return {
    kind, rank: number % ofOneKind, size: number % 7, title: `${kind} and other things`, name: `Élan ${kind}`,
    tags: ['all', `t${number % 7}`], next: toId((number + 7_919) % documents), at: { type: 'Point', coordinates: toPlace(number) },
    note,
  };
}

/** As long as any other, so that none is how others begin. */
export function toKind(number: number): string {
  return `k${Math.floor(number / ofOneKind).toString(36).padStart(4, '0')}`;
}

/** Scattered, as ids that callers choose are. */
export function toId(number: number): string {
  return Bun.hash(String(number)).toString(36);
}

export function toPlace(number: number): [longitude: number, latitude: number] {
  const row = Math.floor(number / columns);
  return [(number % columns) * degreesBetween, (row % 2 === 0 ? row / 2 : -(row + 1) / 2) * degreesBetween];
}
