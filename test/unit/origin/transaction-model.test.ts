/** Random transactions beside a naive interpreter, on both engines: what is refused and where, and what is stored after each. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { everyResourceOf } from '../../../shared/contract/every-resource.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { transaction } from '../../../shared/operations/transaction.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const nMax = 9;
const things = resource({
  name: 'things', id: { kind: 'string', format: z.string().regex(/^[a-z]$/) },
  schema: z.object({ by: z.string(), open: z.boolean(), n: integer().max(nMax), mark: z.uuid().optional(), slot: z.string().optional() }),
  rules: {
    read: any(owner('by'), equals('open', true)), create: owner('by'), update: owner('by'), remove: any(owner('by'), role('editor')),
  },
  shapes: { all: {} },
  unique: { bySlot: { fields: ['slot'] } },
});
const marks = resource({
  name: 'marks', schema: z.object({ n: integer().max(nMax) }), rules: { read: signedIn, write: signedIn }, shapes: { all: {} },
});
const served = contract(things, marks);
const names = ['a', 'b', 'c', 'd'] as const;
const slots = ['x', 'y', 'z'] as const;

/** A mark as the text of its id, which a name stands for until it is made. */
interface Thing {
  readonly by: string;
  readonly open: boolean;
  readonly n: number;
  readonly mark?: string;
  readonly slot?: string;
}

interface State {
  readonly things: Map<string, Thing>;
  /** By the name that a step gave, with the number of the transaction before it. */
  readonly marks: Map<string, number>;
}

interface Caller {
  readonly subject: string;
  readonly roles: readonly string[];
}

const callers: readonly [Caller, ...Caller[]] = [
  { subject: 'ann', roles: [] }, { subject: 'bob', roles: [] }, { subject: 'ann', roles: ['editor'] },
  { subject: 'eve', roles: ['editor'] },
];

interface Drawn {
  readonly step: JsonObject;
  /** Changes the state, or says why not. */
  readonly naive: (state: State, caller: Caller) => string | undefined;
}

const owned = (thing: Thing, { subject }: Caller) => thing.by === subject;
const sees = (thing: Thing | undefined, caller: Caller) => thing !== undefined && (owned(thing, caller) || thing.open);

/** What stands before every change of a thing that is there. */
function refused(state: State, id: string, caller: Caller, condition: string | undefined, isRemoved = false): string | undefined {
  const thing = state.things.get(id);
  if (thing === undefined || !sees(thing, caller)) return 'document_not_found';
  if (!owned(thing, caller) && !(isRemoved && caller.roles.includes('editor'))) return 'forbidden';
  return condition === undefined || condition === '*' ? undefined : 'precondition_failed';
}

function revise(state: State, id: string, after: Thing, caller: Caller): string | undefined {
  if (after.n > nMax) return 'document_invalid';
  if (!Bun.deepEquals(state.things.get(id), after) && !owned(after, caller)) return 'forbidden';
  return put(state, id, after);
}

function put(state: State, id: string, after: Thing): string | undefined {
  const holder = after.slot === undefined ? undefined : holderOf(state, after.slot);
  if (holder !== undefined && holder !== id) return 'document_conflict';
  state.things.set(id, after);
  return undefined;
}

function holderOf(state: State, slot: string): string | undefined {
  return [...state.things].find(([, thing]) => thing.slot === slot)?.[0];
}

function make(state: State, id: string, thing: Thing, caller: Caller, condition?: string): string | undefined {
  if (!owned(thing, caller)) return 'forbidden';
  if (condition !== undefined) return 'precondition_failed';
  if (state.things.has(id)) return 'document_exists';
  return put(state, id, thing);
}

/** `named`: the id in the body, if there is one. */
function upsert(state: State, thing: Thing & { readonly slot: string }, caller: Caller, condition: string | undefined, named?: string) {
  const id = holderOf(state, thing.slot);
  if (id === undefined) return named === undefined ? 'document_invalid' : make(state, named, thing, caller, condition);
  if (!sees(state.things.get(id), caller)) return 'document_conflict';
  const why = refused(state, id, caller, condition);
  if (why !== undefined) return why;
  return named !== undefined && named !== id ? 'document_invalid' : revise(state, id, thing, caller);
}

function draw(random: Random, given: string[], turn: number): Drawn {
  const id = random.pick(names);
  const condition = random.pick([undefined, undefined, undefined, '*', '"other"']);
  const conditions = condition === undefined ? {} : { ifMatch: condition };
  const mark = random.chance(0.5) ? random.pick(given) : undefined;
  const refs = mark === undefined ? {} : { refs: { '/mark': mark } };
  const slot = random.pick(slots);
  const held = random.chance(0.4) ? { slot } : {};
  const body = { by: random.pick(['ann', 'bob']), open: random.chance(0.5), n: random.below(nMax + 1), ...held };
  const thing = { ...body, ...(mark === undefined ? {} : { mark: `${turn} ${mark}` }) };
  const old = (state: State) => state.things.get(id) as Thing;
  switch (random.below(7)) {
    case 0: {
      const as = `m${given.length}`;
      given.push(as);
      const naive: Drawn['naive'] = (state) => void state.marks.set(`${turn} ${as}`, body.n);
      return { step: { op: 'create', resource: 'marks', as, body: { n: body.n } }, naive };
    }
    case 1:
      return {
        step: { op: 'create', resource: 'things', body: { id, ...body }, ...refs },
        naive: (state, caller) => make(state, id, thing, caller),
      };
    case 2:
      return {
        step: { op: 'replace', resource: 'things', id, body, ...refs, ...conditions },
        naive: (state, caller) => sees(state.things.get(id), caller)
          ? (refused(state, id, caller, condition) ?? revise(state, id, thing, caller))
          : make(state, id, thing, caller, condition),
      };
    case 3:
      return {
        step: { op: 'patch', resource: 'things', id, changes: { increment: { n: body.n } }, ...conditions },
        naive: (state, caller) =>
          refused(state, id, caller, condition) ?? revise(state, id, { ...old(state), n: old(state).n + body.n }, caller),
      };
    case 4:
      return {
        step: { op: 'patch', resource: 'things', id, merge: { by: body.by }, ...refs, ...conditions },
        naive: (state, caller) => refused(state, id, caller, condition) ??
          revise(state, id, { ...old(state), by: body.by, ...(mark === undefined ? {} : { mark: `${turn} ${mark}` }) }, caller),
      };
    case 5: {
      const named = random.chance(0.8) ? { id } : {};
      return {
        step: { op: 'upsert', resource: 'things', by: ['slot'], body: { ...body, ...named, slot }, ...refs, ...conditions },
        naive: (state, caller) => upsert(state, { ...thing, slot }, caller, condition, named.id),
      };
    }
    default:
      return {
        step: { op: 'remove', resource: 'things', id, ...conditions },
        naive: (state, caller) => {
          const why = refused(state, id, caller, condition, true);
          if (why === undefined) state.things.delete(id);
          return why;
        },
      };
  }
}

const turns = 150 * Number(process.env['TOMBOLO_SOAK'] ?? 1);

describe.each(engines)('on %s', (engine) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  test(`each of many is whole or refused where the naive one is (seed ${seed})`, async () => {
    const random = new Random(seed);
    await using origin = await DirectOrigin.on(engine, served);
    let state: State = { things: new Map(), marks: new Map() };
    const idOf = new Map<string, string>();
    const counts = { written: 0, refused: 0 };
    // A run in which nothing is written, or nothing refused, proves nothing.
    for (let turn = 0; turn < turns || Math.min(counts.written, counts.refused) <= turns / 20; turn++) {
      const caller = random.pick(callers);
      const given: string[] = [];
      const drawn = Array.from({ length: 1 + random.below(4) }, () => draw(random, given, turn));
      const next: State = { things: new Map(state.things), marks: new Map(state.marks) };
      const whys = drawn.map(({ naive }) => naive);
      const first = whys.reduce<{ readonly at: number; readonly why: string } | undefined>((found, naive, at) => {
        const why = found === undefined ? naive(next, caller) : undefined;
        return found ?? (why === undefined ? undefined : { at, why });
      }, undefined);
      const operations = drawn.map(({ step }) => step);
      const answer = await origin.askBy(transaction.transaction, execute, everyResourceOf(served), {
        principal: { ...caller, claims: {} }, body: { operations },
      });
      const place = answer.errors[0]?.at.split('/').slice(0, 3).join('/');
      expect([turn, operations, answer.outcome, place]).toEqual([
        turn, operations, first?.why ?? 'written', first === undefined ? undefined : `/operations/${first.at}`,
      ] as never);
      counts[first === undefined ? 'written' : 'refused']++;
      if (first === undefined) {
        state = next;
        const results = answer.json['results'] as readonly JsonObject[];
        for (const [at, { as }] of operations.entries()) {
          if (as !== undefined) idOf.set(`${turn} ${String(as)}`, String(results[at]?.['id']));
        }
      }
      for (const id of names) expect([turn, id, await asModel(origin, id)]).toEqual([turn, id, withIds(state.things.get(id), idOf)]);
    }
    for (const [name, n] of state.marks) expect((await origin.stored(marks, idOf.get(name) ?? ''))?.['n']).toBe(n);
  }, 60_000);
});

async function asModel(origin: DirectOrigin, id: string): Promise<JsonObject | undefined> {
  const { id: _id, rev: _rev, createdAt: _created, updatedAt: _updated, ...fields } = (await origin.stored(things, id)) ?? {};
  return Object.keys(fields).length === 0 ? undefined : fields;
}

function withIds(thing: Thing | undefined, idOf: ReadonlyMap<string, string>): JsonObject | undefined {
  if (thing === undefined) return undefined;
  const { mark, ...rest } = thing;
  return mark === undefined ? rest : { ...rest, mark: idOf.get(mark) ?? '' };
}
