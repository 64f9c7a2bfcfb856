/**
 * Races on documents of other programs (SEMANTICS §17): ten thousand times, an update of theirs and a write of ours meet on
 * one document, each of fields that the other does not name. Both stand, whoever comes first, and nothing else is changed.
 */
import type { Collection } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { instant } from '../../shared/contract/types.ts';
import { type DirectAnswer, DirectOrigin } from '../support/direct-origin.ts';
import { openControlledDatabase } from '../support/mongo-database.ts';
import { Random } from '../support/random.ts';
import type { Budget, Outcome } from './parts.ts';

const ships = resource({
  name: 'ships', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(), home: z.object({ port: z.string(), zip: z.string().optional() }),
    logs: z.array(z.object({ day: z.string(), at: instant(), note: z.string().optional() })),
  }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

interface Log {
  readonly day: string;
  readonly at: Date;
  readonly note: string;
  /** Of the other program alone. */
  readonly seen: number;
}

interface Ship {
  readonly _id: string;
  name: string;
  home: { port: string; zip: string; geo: readonly number[] };
  logs: readonly Log[];
  hits: number;
  more: Readonly<Record<string, number>>;
}

const racesMin = 10_000;
/** They take 40 s on a machine at rest; those that are not run by then are told as missing. */
const msMax = 600_000;
/** Races that run at once, each on a document of its own. */
const lanesAtOnce = 16;
/** The longest head start of one of the two: about as long as a write takes. */
const headStartMsMax = 6;
const at = new Date('2026-01-01T00:00:00.000Z');

export async function fieldRaces({ seed, minutes }: Budget): Promise<Outcome> {
  const { server, uri, foreign, remove } = await openControlledDatabase();
  const origin = await DirectOrigin.open({ MONGODB_URI: uri }, contract(ships));
  const started = performance.now();
  let begun = 0;
  const goesOn = () => {
    const ms = performance.now() - started;
    return ms < msMax && (begun++ < racesMin || ms < minutes * 60_000);
  };
  try {
    const collection = foreign.collection<Ship>('ships');
    const toLane = (_: unknown, lane: number) => new Lane(`s${lane}`, { random: new Random(seed + lane), origin, collection });
    const lanes = Array.from({ length: lanesAtOnce }, toLane);
    const violations = (await Promise.all(lanes.map((lane) => lane.run(goesOn)))).flat();
    const races = lanes.reduce((sum, lane) => sum + lane.races, 0);
    if (races < racesMin) violations.push(`${races} races of ${racesMin} within ${msMax} ms, or before one was lost`);
    const conflicts = server.history.events.filter(({ outcome }) => outcome?.startsWith('112 ') === true).length;
    return { figures: { races, documents: lanesAtOnce, conflictsAmongTheLast50000Commands: conflicts }, violations };
  } finally {
    await origin[Symbol.asyncDispose]();
    await remove();
  }
}

interface LaneOptions {
  readonly random: Random;
  readonly origin: DirectOrigin;
  readonly collection: Collection<Ship>;
}

/** One document: what it has to be after each race is known, whoever came first. */
class Lane {
  readonly #options: LaneOptions;
  readonly #expected: Ship;
  races = 0;

  constructor(id: string, options: LaneOptions) {
    this.#options = options;
    this.#expected = {
      _id: id, name: 'a', home: { port: 'Oslo', zip: '0', geo: [1, 2] }, hits: 0, more: {},
      logs: ['A', 'B', 'C'].map((day) => ({ day, at, note: '', seen: 0 })),
    };
  }

  async run(goesOn: () => boolean): Promise<readonly string[]> {
    const { collection } = this.#options;
    await collection.insertOne(structuredClone(this.#expected));
    while (goesOn()) {
      this.races++;
      const [ours, theirs] = [this.#ours(), this.#theirs()];
      const [answer] = await Promise.all([ours(), theirs()]);
      if (answer.outcome !== 'written') return [`race ${this.races} of ${this.#expected._id}: ours was ${answer.outcome}`];
      const found: unknown = await collection.findOne({ _id: this.#expected._id }, { projection: { createdAt: 0, updatedAt: 0 } });
      const wanted = { ...this.#expected, rev: this.races };
      if (!Bun.deepEquals(found, wanted)) return [`race ${this.races}: ${JSON.stringify(found)} and not ${JSON.stringify(wanted)}`];
    }
    return [];
  }

  /** Notes what a write of ours will have made, and gives the write. */
  #ours(): () => Promise<DirectAnswer> {
    const { random, origin } = this.#options;
    const [expected, value] = [this.#expected, `v${this.races}`];
    const body: { name?: string; home?: object; logs?: readonly object[] } = {};
    const kind = random.below(4);
    if (kind === 0) body.name = expected.name = value;
    if (kind === 1) body.home = { zip: (expected.home.zip = value) };
    // An element is changed where it stands, or all of them move: the array is then written whole.
    if (kind === 2) expected.logs = expected.logs.map((log, index) => (index === this.races % 3 ? { ...log, note: value } : log));
    if (kind === 3) expected.logs = [...expected.logs.slice(1), ...expected.logs.slice(0, 1)];
    if (kind >= 2) body.logs = expected.logs.map(({ day, at: moment, note }) => ({ day, at: moment.toISOString(), note }));
    return this.#soon(() => origin.ask('patch', ships, { id: expected._id, body }));
  }

  #theirs(): () => Promise<unknown> {
    const { random, collection } = this.#options;
    const [expected, race] = [this.#expected, this.races];
    const key = `n${race % 7}`;
    expected.hits++;
    expected.more = { ...expected.more, [key]: race };
    const set: Record<string, unknown> = { [`more.${key}`]: race };
    const day = random.pick(['A', 'B', 'C'] as const);
    const kind = random.below(3);
    if (kind === 0) set['home.geo'] = expected.home.geo = [race, race + 1];
    if (kind === 1) set['logs.$[log].seen'] = race;
    if (kind === 1) expected.logs = expected.logs.map((log) => (log.day === day ? { ...log, seen: race } : log));
    const filters = kind === 1 ? { arrayFilters: [{ 'log.day': day }] } : {};
    return this.#soon(() => collection.updateOne({ _id: expected._id }, { $inc: { hits: 1 }, $set: set }, filters));
  }

  #soon<T>(run: () => Promise<T>): () => Promise<T> {
    const ms = this.#options.random.below(headStartMsMax);
    return async () => {
      await Bun.sleep(ms);
      return run();
    };
  }
}
