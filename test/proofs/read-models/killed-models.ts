/**
 * Programs that make the rows of a read model, each by one of two declarations, are killed at random moments while they change
 * documents. Meanwhile another program looks: at no moment are rows of both declarations there. At last they are what a
 * recomputation says. Two programs run at a time.
 */
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { progress } from '../../../origin/read-models/progress.ts';
import { rowsBeside } from '../../../origin/read-models/rows-beside.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { toIndex } from '../../../shared/contract/shapes.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { KilledProgram, openStage, programsAtOnce, type Stage } from '../../support/killed-program.ts';
import { Random } from '../../support/random.ts';
import type { Engine } from '../../support/whole-world.ts';
import { books, counts, declarations, ownOf, served } from './declared.ts';

export interface ModelRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** It goes on until so many programs are killed, and the rows were seen to be of another declaration so often. */
  readonly killsMin: number;
  readonly turnsMin: number;
}

export interface ModelRun {
  readonly figures: Record<'kills' | 'changes' | 'looks' | 'turns' | 'rows', number>;
  readonly violations: readonly string[];
}

export async function runKilledModels({ engine, seed, killsMin, turnsMin }: ModelRunOptions): Promise<ModelRun> {
  const stage = await openStage(engine);
  try {
    // The tables are there before anybody looks.
    await (await DirectOrigin.open(stage.variables, served, ownOf('first')))[Symbol.asyncDispose]();
    await using looking = new Looking(await openLook(stage));
    const counted = await killPrograms(stage, new Random(seed), looking, { killsMin, turnsMin });
    await using origin = await DirectOrigin.open(stage.variables, served, ownOf('first'));
    await caughtUp(origin);
    const [documents, rows] = [await allOf(origin, books), await allOf(origin, counts)];
    const left = await allOf(origin, rowsBeside);
    const beside = left.length === 0 ? [] : [`${left.length} rows were left beside`];
    const { looks, turns } = looking;
    return {
      figures: { ...counted, looks, turns, rows: rows.length },
      violations: [...looking.violations, ...differencesIn(documents, rows), ...beside],
    };
  } finally {
    await stage.remove();
  }
}

/** The declarations of all rows that are there, read at once. */
interface Look {
  declarations(): Promise<readonly string[]>;
  close(): Promise<void>;
}

async function openLook({ place, variables }: Stage): Promise<Look> {
  if (!('MONGODB_URI' in variables)) {
    const database = new Database(join(place, 'tombolo.sqlite'), { readonly: true });
    const all = database.query<{ name: string }, []>(`SELECT DISTINCT doc ->> 'declaration' AS name FROM "${counts.collection}"`);
    return { declarations: async () => all.all().map(({ name }) => name), close: async () => database.close() };
  }
  const client = await MongoClient.connect(place);
  return { declarations: () => client.db().collection(counts.collection).distinct('declaration'), close: () => client.close() };
}

class Looking implements AsyncDisposable {
  readonly violations: string[] = [];
  looks = 0;
  /** How often they were seen to be of another declaration than before. */
  turns = 0;
  /** Which they were of at last. */
  now: string | undefined;
  readonly #look: Look;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;

  constructor(look: Look) {
    this.#look = look;
    this.#running = this.#run();
  }

  async #run(): Promise<void> {
    for (; !this.#over.signal.aborted; this.looks++) {
      const found = await this.#look.declarations();
      if (found.length > 1) this.violations.push(`rows of ${found.join(' and ')} were there at once`);
      const [seen = this.now] = found;
      if (this.now !== undefined && seen !== this.now) this.turns++;
      this.now = seen;
      await Bun.sleep(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#running;
    await this.#look.close();
  }
}

const programFile = join(import.meta.dir, 'writing-program.ts');
const lifeMs = { least: 300, more: 1_200 };

/** One that is not killed at a random moment lives so long, at most, until its rows are served. */
const servedMsMax = 20_000;

type Until = Pick<ModelRunOptions, 'killsMin' | 'turnsMin'>;

async function killPrograms({ place }: Stage, random: Random, looking: Looking, { killsMin, turnsMin }: Until) {
  const running: { readonly program: KilledProgram; readonly declaration: string }[] = [];
  let [kills, changes, started] = [0, 0, 0];
  for (; kills < killsMin || looking.turns < turnsMin; kills++) {
    while (running.length < programsAtOnce) {
      // By turns: most of them begin the model anew.
      const declaration = declarations[++started % declarations.length] ?? 'first';
      running.push({ program: new KilledProgram(programFile, [place, String(random.below(2 ** 31)), declaration]), declaration });
    }
    await Promise.all(running.map(({ program }) => program.writes()));
    // A random part of a program's life; every other time long enough for the rows of the one that has run longest.
    const isServed = () => looking.now === running[0]?.declaration;
    if (kills % 2 === 1) await eventually('its rows are served', isServed, { msMax: servedMsMax }).catch(() => undefined);
    else await Bun.sleep(lifeMs.least + random.below(lifeMs.more));
    const [killed] = running.splice(random.below(running.length), 1);
    await killed?.program.kill9();
    changes += killed?.program.lines ?? 0;
  }
  await Promise.all(running.map(({ program }) => program.kill9()));
  return { kills, changes: running.reduce((sum, { program }) => sum + program.lines, changes) };
}

/** Rows follow in the order of commits: that of the last one is there. */
async function caughtUp(origin: DirectOrigin): Promise<void> {
  await origin.put(books, 'last', { shelf: 'last', pages: 1 });
  const isThere = async () => (await origin.stored(counts, 'last'))?.['declaration'] === 'first';
  await eventually('its last row is there', isThere, { msMax: 60_000 });
  const isComplete = async () => (await origin.stored(progress, 'counts'))?.['stage'] === 'complete';
  await eventually('nothing is left to be done', isComplete, { msMax: 60_000 });
}

async function allOf({ context }: DirectOrigin, of: Resource): Promise<readonly JsonObject[]> {
  const sort = [{ field: 'id', descending: false }];
  const request: ListRequest = { equal: {}, range: undefined, sort, where: true, after: undefined, limit: 10_000 };
  const walked = { ...of, indexes: [...of.indexes, toIndex([], sort, () => false)] };
  return (await context.store.list(walked, request, { deadline: Date.now() + 10_000 })).value.map(({ document }) => document.value);
}

/** Rows by the first declaration, of these documents, by nobody's code but this. */
export function differencesIn(documents: readonly JsonObject[], rows: readonly JsonObject[]): readonly string[] {
  const expected = new Map([...Map.groupBy(documents, ({ shelf }) => String(shelf))].map(([shelf, all]) =>
    [shelf, `first ${all.length} ${all.reduce((sum, { pages }) => sum + Number(pages), 0)}`]));
  const found = new Map(rows.map((row) => [String(row['id']), `${row['declaration']} ${row['books']} ${row['pages']}`]));
  return [...new Set([...expected.keys(), ...found.keys()])]
    .filter((key) => expected.get(key) !== found.get(key))
    .map((key) => `${key} is ${found.get(key) ?? 'away'}, and its documents come to ${expected.get(key) ?? 'nothing'}`);
}
