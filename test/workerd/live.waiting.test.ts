/** What shows only with time: a feed is quiet for longer than any default patience, and an origin never answers. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { ScriptedStream, StreamReader } from '../support/event-source.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({
    workerModule: 'test/workerd/workers/limits.worker.ts',
    silent: true,
    variables: { TOMBOLO_ANONYMOUS_PLAN: 'leased' },
  });
});
afterAll(() => world.close());

test('a feed may be quiet beyond the deadline of a request, while one whose head does not come is given up', async () => {
  const stream = new ScriptedStream();
  stream.send('id: p0\n\n');
  // One answer never comes.
  world.origin.script = ({ query }) =>
    query === '' ? { body: stream.body, headers: { 'content-type': 'text/event-stream' } } : new Promise(() => undefined);
  const reader = new StreamReader(await world.get('/v2/notes/changes'));
  await reader.next();
  const began = performance.now();
  const mute = await world.get('/v2/notes/changes?after=p1');
  expect(mute.status).toBe(504);
  expect(performance.now() - began).toBeWithin(9_500, 20_000);
  // The stream must have been quiet for longer than the ten seconds after which quiet ones have been seen to end.
  await Bun.sleep(2_500);
  stream.send('id: p1\n\n');
  expect(await reader.next()).toBe('id: p1\n\n');
  await reader.leave();
}, 60_000);
