/** Documents of a resource that has entries, on either engine, written by Tombolo and by another program, and a model of what is stored. */
import { expect } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isEntryOf } from '../../origin/store/entries.ts';
import { contract } from '../../shared/contract/contract.ts';
import { entryOf, entryIndexesOf } from '../../shared/contract/entry-index.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { DirectOrigin } from './direct-origin.ts';
import { eventually } from './eventually.ts';
import type { ForeignProgram } from './foreign-program.ts';
import { MongoProgram } from './mongo-program.ts';
import type { Random } from './random.ts';
import { StoreFile } from './store-file.ts';
import { editor, randomNote, textNotes } from './text-notes.ts';
import type { Engine } from './whole-world.ts';

const ids = Array.from({ length: 40 }, (_, index) => `n${index}`);

/** What is written at random. */
export interface Writing {
  document(random: Random): JsonObject;
  /** The fields that another program changes; a patch changes the first. */
  readonly changed: readonly [string, ...string[]];
}

const notes: Writing = { document: randomNote, changed: ['title', 'year', 'open'] };

export class TextWorld implements AsyncDisposable {
  readonly model = new Map<string, JsonObject>();
  readonly program: ForeignProgram;
  readonly #variables: Readonly<Record<string, string>>;
  readonly #remove: () => void;
  readonly #resource: Resource;
  readonly #writing: Writing;
  origin!: DirectOrigin;

  static async on(engine: Engine, resource: Resource = textNotes, writing = notes): Promise<TextWorld> {
    const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-text-'));
    const program = engine === 'sqlite' ? new StoreFile(dataDir) : await MongoProgram.start();
    const variables = program instanceof MongoProgram ? { MONGODB_URI: program.uri } : { TOMBOLO_DATA_DIR: dataDir };
    const world = new TextWorld({
      program, variables, resource, writing, remove: () => rmSync(dataDir, { recursive: true, force: true }),
    });
    await world.begin();
    return world;
  }

  private constructor({ program, variables, resource, writing, remove }: {
    program: ForeignProgram; variables: Readonly<Record<string, string>>; resource: Resource; writing: Writing; remove: () => void;
  }) {
    this.program = program;
    this.#variables = variables;
    this.#resource = resource;
    this.#writing = writing;
    this.#remove = remove;
  }

  /** Opens an origin there, before this declaration of the resource. */
  async begin(resource = this.#resource): Promise<void> {
    this.origin = await DirectOrigin.open(this.#variables, contract(resource));
  }

  end(): Promise<void> {
    return this.origin[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.program.close();
    this.#remove();
  }

  async ownWrite(random: Random): Promise<void> {
    const id = random.pick(ids) ?? '';
    const before = this.model.get(id);
    const body = this.#writing.document(random);
    if (before === undefined || random.chance(0.6)) {
      await this.#write('replace', id, body);
      this.model.set(id, { id, ...body });
    } else if (random.chance(0.5)) {
      const fields = this.#changed(body, 1);
      await this.#write('patch', id, fields);
      this.model.set(id, { ...before, ...fields });
    } else {
      await this.#write('remove', id);
      this.model.delete(id);
    }
  }

  async foreignWrite(random: Random): Promise<void> {
    const id = random.pick(ids) ?? '';
    const before = this.model.get(id);
    const { name } = this.#resource;
    const body = this.#writing.document(random);
    if (before === undefined) {
      await this.program.insert(name, id, body);
      this.model.set(id, { id, ...body });
    } else if (random.chance(0.3)) {
      await this.program.remove(name, id);
      this.model.delete(id);
    } else {
      const fields = this.#changed(body);
      await this.program.set(name, id, fields);
      this.model.set(id, { ...before, ...fields });
    }
  }

  /** The first of the fields that are changed, as far as the body has them. */
  #changed(body: JsonObject, count?: number): JsonObject {
    const names = this.#writing.changed.slice(0, count);
    return Object.fromEntries(Object.entries(body).filter(([name]) => names.includes(name)));
  }

  /** All pages of a query one behind the other; the way back from the last shows the one before. `undefined`: it is not served. */
  async find(query: string, principal: Principal = editor, limit = 20): Promise<readonly string[] | undefined> {
    const found: string[][] = [];
    for (let after = ''; ; ) {
      const page = await this.page(`?${query}&limit=${limit}${after}`, principal);
      if (page === undefined) return undefined;
      found.push(page.ids);
      if (page.next !== undefined) {
        after = `&after=${page.next}`;
        continue;
      }
      if (page.prev !== undefined) {
        const back = await this.page(`?${query}&limit=${limit}&after=${page.prev}`, principal);
        expect([query, back?.ids]).toEqual([query, found.at(-2)]);
      }
      return found.flat();
    }
  }

  async page(query: string, principal: Principal = editor) {
    const { outcome, detail, json, readAt } = await this.origin.ask('list', this.#resource, { query, principal });
    if (outcome === 'query_invalid' || outcome === 'shape_not_ready') return undefined;
    expect([query, outcome, detail]).toEqual([query, 'found', undefined]);
    const { next, prev, ...page } = json['page'] as JsonObject;
    const ofPage = (json['data'] as readonly JsonObject[]).map(({ id }) => String(id));
    if (readAt === undefined) throw new Error('an answer that says of no state that it is its own');
    return { ids: ofPage, next: next ?? undefined, prev: prev ?? undefined, page, readAt };
  }

  /** Waits for the entries of what another program wrote. */
  async settled(): Promise<void> {
    const { store } = this.origin.context;
    for (const index of entryIndexesOf(this.#resource)) {
      await eventually(`the entries of ${index.shape.name}`, async () => {
        const { value } = await store.many(index.entries, ids, { deadline: Date.now() + 5_000 });
        const wanted = [...this.model.values()].flatMap((note) => entryOf(index, note) ?? []);
        const there = new Map(value.map((entry) => [entry.id, entry]));
        const isRight = ([id, note]: readonly [string, JsonObject]) => {
          const [entry, found] = [entryOf(index, note), there.get(id)];
          return entry === undefined || (found !== undefined && isEntryOf(found, entry));
        };
        return wanted.length === there.size && [...this.model].every(isRight);
      });
    }
  }

  async untilServed(query = 'q=a'): Promise<void> {
    await eventually('the shape is served', async () => (await this.find(query)) !== undefined);
  }

  async #write(operation: 'replace' | 'patch' | 'remove', id: string, body?: object): Promise<void> {
    const asking = { id, principal: editor, ...(body === undefined ? {} : { body }) };
    const { outcome } = await this.origin.ask(operation, this.#resource, asking);
    expect(outcome).toMatch(/^(created|written|removed|unchanged)$/);
  }
}
