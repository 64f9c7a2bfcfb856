/** `/live` and `/ready` as a load balancer asks them, of the edge before an origin that stops answering. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { edgeLimits } from '../../edge/limits.ts';
import { startWorld, type Stack, type World } from '../support/whole-world.ts';

/** What a load balancer waits for. */
const namedWithinMs = 2_000;

const stacksOfTwo: readonly Stack[] = ['workerd', 'one process'];

describe.each(stacksOfTwo)('in %s', (stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine: 'sqlite', stack })));
  afterAll(() => world.close());

  test('what works is live and ready, to GET and HEAD alone, and nobody keeps the answer', async () => {
    for (const [path, status] of [['/live', 'live'], ['/ready', 'ready']] as const) {
      const answer = await world.request(path);
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(JSON.parse(answer.text)).toMatchObject({ status });
      expect((await world.request(path, { method: 'HEAD' })).status).toBe(200);
      expect((await world.request(path, { method: 'POST' })).status).toBe(405);
    }
  });
});

test('an edge whose origin is frozen, or is stopped, is live and says within two seconds that it is not ready', async () => {
  const world = await startWorld({ engine: 'sqlite' });
  const ask = async () => {
    const beganAtMs = performance.now();
    const { status, text } = await world.request('/ready');
    expect(performance.now() - beganAtMs).toBeLessThan(namedWithinMs);
    return [status, JSON.parse(text) as unknown];
  };
  const silent = [503, { status: 'unready', origins: [{ status: 'silent' }] }];
  try {
    world.origin.freeze();
    expect(await ask()).toEqual(silent);
    expect((await world.request('/live')).status).toBe(200);
    world.origin.thaw();
    // What the edge knows from before is old then.
    await Bun.sleep(2 * edgeLimits.readyBelievedMs);
    expect(await ask()).toEqual([200, { status: 'ready', origins: [{ status: 'ready' }] }]);
    await world.origin.stop();
    // What the edge knows from before is old then.
    await Bun.sleep(2 * edgeLimits.readyBelievedMs);
    expect(await ask()).toEqual(silent);
  } finally {
    await world.close();
  }
}, 60_000);
