/** A feed replayed from an older event, on a real origin over each engine, against a model of what each may still see. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner } from '../../../shared/contract/rules.ts';
import { formatPrincipal } from '../../../shared/hop/principal-header.ts';
import { type Origin, startOrigin } from '../../../origin/server.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { EventStream } from '../../support/event-stream.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { Random } from '../../support/random.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { signHop } from '../../support/signed-hop.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes',
  schema: z.object({ author: z.string(), open: z.boolean(), shared: z.boolean(), text: z.string() }),
  rules: { read: any(equals('open', true), owner('author')), write: owner('author') },
  fieldRules: { text: { read: any(equals('shared', true), owner('author')) } },
  shapes: { all: {} },
  live: true,
});

interface Note {
  readonly open: boolean;
  readonly shared: boolean;
  readonly text: string;
}

interface Commit {
  readonly id: string;
  readonly before: Note | undefined;
  readonly after: Note | undefined;
}

type Told = readonly [name: string, id: string, open: boolean | undefined, text: string | undefined];

describe.each([...engines])('a feed replayed on %s', (engine) => {
  let dir: string;
  let mongo: MongoDatabase | undefined;
  let origin: Origin;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tombolo-replay-'));
    mongo = engine === 'mongodb' ? await openMongoDatabase() : undefined;
    origin = await start();
  });
  afterAll(async () => {
    await origin.close();
    await mongo?.remove();
    rmSync(dir, { recursive: true });
  });

  const start = (): Promise<Origin> =>
    startOrigin(
      mustSettings({
        TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: dir, MONGODB_URI: mongo?.uri, TOMBOLO_ORIGIN_PORT: '0',
        TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9', TOMBOLO_LOG_LEVEL: 'silent',
      }),
      { contract: contract(notes) },
    );

  async function ask(
    path: string,
    subject: string | undefined,
    method = 'GET',
    json?: unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const principal: Record<string, string> =
      subject === undefined ? {} : { 'tombolo-principal': formatPrincipal({ subject, roles: [], claims: {} }) ?? '' };
    const type: Record<string, string> =
      json === undefined ? {} : { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
    const { url, init } = signHop(testKeys, {
      url: `http://127.0.0.1:${origin.port}${path}`,
      method,
      headers: { ...type, ...principal, ...more },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    return fetch(url, init);
  }

  async function follow(subject: string | undefined, lastId?: string): Promise<EventStream> {
    const stream = new EventStream(
      await ask('/v1/notes/changes', subject, 'GET', undefined, lastId === undefined ? {} : { 'last-event-id': lastId }),
    );
    await stream.heardFrom();
    return stream;
  }

  async function write(random: Random, notesNow: Map<string, Note>): Promise<Commit> {
    const note = { open: random.chance(0.6), shared: random.chance(0.6), text: `text ${random.below(1_000_000)}` };
    const [id] = notesNow.size < 4 || random.chance(0.3) ? [] : [random.pick([...notesNow.keys()])];
    const before = id === undefined ? undefined : notesNow.get(id);
    const removes = id !== undefined && random.chance(0.3);
    const answer =
      id === undefined
        ? await ask('/v1/notes', 'ann', 'POST', { author: 'ann', ...note })
        : await ask(`/v1/notes/${id}`, 'ann', removes ? 'DELETE' : 'PATCH', removes ? undefined : note);
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    const name = id ?? ((await answer.json()) as { id: string }).id;
    if (removes) notesNow.delete(name); else notesNow.set(name, note);
    return { id: name, before, after: removes ? undefined : note };
  }

  async function hear(stream: EventStream, count: number): Promise<readonly Told[]> {
    const told: Told[] = [];
    while (told.length < count) {
      const event = await stream.next();
      const data = JSON.parse(event?.data ?? '{}') as { id?: string; open?: boolean; text?: string };
      told.push([event?.name ?? 'end', data.id ?? '', data.open, data.text]);
    }
    return told;
  }

  test('gives of what has since been deleted or hidden the id alone, and of hidden fields nothing', async () => {
    const begin = await follow('ann');
    const from = begin.lastId;
    await begin.close();
    for (const seed of [1, 2, 3]) {
      const random = new Random(seed);
      const state = new Map<string, Note>();
      const commits: Commit[] = [];
      const started = seed === 1 ? from : await headOf();
      for (let n = 0; n < 40; n++) commits.push(await write(random, state));
      for (const subject of [undefined, 'ann', 'bob']) {
        const expected = commits.flatMap((commit) => toReplayed(commit, state, subject));
        const stream = await follow(subject, started);
        expect(await hear(stream, expected.length)).toEqual(expected);
        await stream.close();
      }
      // The same from the store's history: a new process has nothing in memory.
      await origin.close();
      origin = await start();
      const expected = commits.flatMap((commit) => toReplayed(commit, state, 'bob'));
      const stream = await follow('bob', started);
      expect(await hear(stream, expected.length)).toEqual(expected);
      // What happens from now on is told as it was, although it is gone when it is read.
      const { id } = (await (await ask('/v1/notes', 'ann', 'POST', { author: 'ann', open: true, shared: true, text: 'live' })).json()) as {
        id: string;
      };
      await ask(`/v1/notes/${id}`, 'ann', 'DELETE');
      expect(await hear(stream, 2)).toEqual([['created', id, true, 'live'], ['deleted', id, undefined, undefined]]);
      await stream.close();
    }
  });

  async function headOf(): Promise<string> {
    const stream = await follow('ann');
    await stream.close();
    return stream.lastId;
  }
});

/** The slow obvious way: what the event said, unless the caller may not see the note at the end. */
function toReplayed({ id, before, after }: Commit, state: ReadonlyMap<string, Note>, subject: string | undefined): readonly Told[] {
  const sees = (note: Note | undefined): note is Note => note !== undefined && (note.open || subject === 'ann');
  if (!sees(after)) return sees(before) ? [[after === undefined ? 'deleted' : 'left', id, undefined, undefined]] : [];
  const now = state.get(id);
  if (!sees(now)) return [['left', id, undefined, undefined]];
  const name = before === undefined ? 'created' : sees(before) ? 'updated' : 'entered';
  const reads = subject === 'ann' || (after.shared && now.shared);
  return [[name, id, after.open, reads ? after.text : undefined]];
}
