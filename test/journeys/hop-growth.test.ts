/**
 * The hop grows one side first (SEMANTICS §9): an edge and an origin of the next release, which say one thing more in
 * every direction, each beside one of this release, in both orders of a deploy. Everything is served, cached and
 * invalidated all the while.
 *
 * It holds from this profile on. In the release before it each side rebuilt the list of signed headers from a copy of its
 * own, in an order of its own. Its origin therefore takes no question of this edge, and signs few of its answers: everything
 * is `origin_unavailable` until the origin is deployed too. Its edge passes on what this origin answers, but stores none of
 * it, takes none of its reports, and writes no end behind an upload, which is refused. So coming from there, once, the origin
 * goes first.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { createFilm, importRows, patchFilm, toFilm } from '../support/film.ts';
import { makeNextRelease } from '../support/next-release.ts';
import { makeRelease, type Release } from '../support/release.ts';
import { startWorld, type World } from '../support/whole-world.ts';

let next: Release;
let world: World;
beforeAll(() => void (next = makeNextRelease()));
afterAll(() => next.remove());
beforeEach(async () => void (world = await startWorld({ engine: 'sqlite' })));
afterEach(() => world.close());

const deployEdge = () => world.edge.restart({ workerModule: `${next.dir}/edge/worker.ts` });
const deployOrigin = async () => {
  await world.origin.stop();
  await world.origin.start({ releaseDir: next.dir });
};

async function expectEverything(stage: string): Promise<void> {
  const { path, answer } = await createFilm(world, { title: `${stage}, made`, genres: ['Growth'] });
  expect(answer.status).toBe(201);
  const list = '/v2/films?genres=Growth';
  await Promise.all([world.mustHit(path), world.mustHit(list)]);
  await patchFilm(world, path, { title: `${stage}, changed` });
  const isChanged = async (one: string) => (await world.request(one)).text.includes(`${stage}, changed`);
  for (const one of [path, list]) await eventually(`${stage}: the change in ${one}`, () => isChanged(one));
  const hit = await world.mustHit(path);
  expect(hit.text).toContain(`${stage}, changed`);
  const { summary } = await importRows(world, 'films', JSON.stringify(toFilm({ title: `${stage}, imported` })));
  expect(summary).toMatchObject({ imported: 1, complete: true });
  await expectLive(stage);
  // What is between edge and origin stays there, also where only one of them knows it.
  const asked = await world.request(list, { headers: { 'cache-control': 'no-cache' } });
  const names = [answer, hit, asked].flatMap(({ headers }) => [...headers.keys()]);
  expect(names.filter((name) => name === 'tombolo-next' || name === 'tombolo-read')).toEqual([]);
}

async function expectLive(stage: string): Promise<void> {
  const stream = new EventStream(await fetch(`${world.edge.url}/v2/reviews/changes`, { headers: { accept: 'text/event-stream' } }));
  await stream.heardFrom();
  const json = { film: '01890a5d-ac96-774b-bcce-b302099a8057', author: 'alice', status: 'published', rating: 4, text: `${stage}, live` };
  expect((await world.request('/v2/reviews', { token: await world.token(), json })).status).toBe(201);
  expect((await stream.next())?.data).toContain(`${stage}, live`);
  await stream.close();
}

test('an edge that signs more goes first, and its origin follows', async () => {
  await expectEverything('both old');
  await deployEdge();
  await expectEverything('a new edge');
  await deployOrigin();
  await expectEverything('both new');
  expect(world.origin.output).toContain('next: asked');
});

test('an origin that signs more goes first, and its edge follows', async () => {
  await deployOrigin();
  await expectEverything('a new origin');
  expect(world.origin.output).toContain('next: null');
  await deployEdge();
  await expectEverything('both new');
  expect(world.origin.output).toContain('next: asked');
});

const top = '/v2/films/top?genre=Drama';

async function expectUnkept(): Promise<void> {
  for (let times = 0; times < 3; times++) {
    const answer = await world.request(top);
    expect([answer.status, answer.isHit, answer.headers.get('tombolo-depends')]).toEqual([200, false, null]);
  }
}

test('what an endpoint of one declaration answers is not kept for another, nor shown to who asks for that', async () => {
  const revised = makeRelease([['shared/endpoints/films-top.ts', `  at: '/top',`, `  at: '/top',\n  revision: 1,`]]);
  try {
    await world.mustHit(top);
    await world.edge.restart({ workerModule: `${revised.dir}/edge/worker.ts` });
    await expectUnkept();
    await world.origin.stop();
    await world.origin.start({ releaseDir: revised.dir });
    await world.mustHit(top);
  } finally {
    await world.origin.stop();
    await world.origin.start();
    await world.edge.restart();
    revised.remove();
  }
}, 60_000);

test('what an endpoint was made of is said on one side first: it is served all the while, and kept where both know of it', async () => {
  const before = makeRelease([
    ['origin/respond.ts', '  if (stated !== undefined) headers[dependsHeader] = formatStatedReads(stated);\n', ''],
    ['edge/origin-client/verify.ts', 'stated: depends === undefined ? undefined : parseStatedReads(depends),', 'stated: undefined,'],
  ]);
  try {
    await world.mustHit(top);
    await world.edge.restart({ workerModule: `${before.dir}/edge/worker.ts` });
    await world.request(top);
    await expectUnkept();
    await world.origin.stop();
    await world.origin.start({ releaseDir: before.dir });
    await world.edge.restart();
    await expectUnkept();
  } finally {
    before.remove();
  }
}, 60_000);
