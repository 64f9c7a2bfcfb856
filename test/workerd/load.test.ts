/** An origin that says that it has too much to do: the edge asks it for less, and shows what it has where it may. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import type { ScriptedAnswer } from '../support/scripted-origin.ts';
import { codeOf, film, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ feedSilentMs: 300 });
  world.documents.set('kept', film('Kept'));
});
afterAll(() => world.close());

test('what it refuses is not asked, stale where that is known to be no worse, and asked again soon after', async () => {
  const hit = await world.mustHit('/v2/films?limit=2');
  expect(hit.headers.has('tombolo-brownout')).toBe(false);
  // From here on nobody knows whether what is kept is still right.
  await world.feed.pause();
  const { script } = world.origin;
  world.origin.script = async (seen) => {
    const answer: ScriptedAnswer = await script(seen);
    return { ...answer, headers: { ...answer.headers, 'tombolo-load': '2' } };
  };
  await world.noHit('/v2/films?limit=2');
  const before = world.origin.seen.length;
  const stale = await world.get('/v2/films?limit=2');
  expect([stale.status, stale.headers.get('cache-status')]).toEqual([200, 'tombolo; fwd=stale; detail=stale-if-error']);
  expect(stale.headers.get('tombolo-brownout')).toBe('2');
  const list = await world.get('/v2/films?limit=3');
  expect(list.headers.get('tombolo-brownout')).toBe('2');
  expect([list.status, await codeOf(list), list.headers.get('retry-after')]).toEqual([503, 'overloaded', '5']);
  expect(world.origin.seen.length).toBe(before);
  const one = await world.get('/v2/films/kept');
  expect([one.status, one.headers.has('tombolo-load'), world.origin.seen.length]).toEqual([200, false, before + 1]);
  world.origin.script = script;
  await eventually('an answer of the origin', async () => (await world.get('/v2/films?limit=3')).status === 200);
  await eventually('the end of it', async () => !(await world.get('/v2/films?limit=3')).headers.has('tombolo-brownout'));
});
