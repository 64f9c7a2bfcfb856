/** API keys as a team uses them: made with a token, taken everywhere, and stopped everywhere, also while the origin is away. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createFilm } from '../support/film.ts';
import { eventually } from '../support/eventually.ts';
import { freshWithinMs, startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

interface Made {
  readonly id: string;
  readonly key: string;
}

/** A report is sent as often (`shared/hop/purge-report.ts`). */
const reportedWithinMs = 250;

describe.each(worldsOfBoth)('API keys on %s in %s', (engine, stack) => {
  let world: World;
  const edgeLog: string[] = [];
  const texts: string[] = [];
  beforeAll(async () => void (world = await startWorld({ engine, stack, onEdgeLog: (line) => edgeLog.push(line) })));
  afterAll(() => world.close());

  const make = async (json: object = {}): Promise<Made> => {
    const answer = await world.request('/v2/keys', { token: await world.token(), json: { name: 'a', scopes: ['films:read'], ...json } });
    expect(answer.status).toBe(201);
    const made = JSON.parse(answer.text) as Made;
    texts.push(made.key);
    return made;
  };
  const read = async (path: string, key: string) => {
    const answer = await world.request(path, { token: key });
    return answer.status;
  };
  const revoke = async ({ id }: Made) =>
    expect((await world.request(`/v2/keys/${id}`, { method: 'DELETE', token: await world.token() })).status).toBe(204);

  test('a key reads what its maker reads, as often as it is asked, and says when it was last used', async () => {
    const { path } = await createFilm(world);
    const { id, key } = await make();
    await world.mustHit(path, { token: key });
    expect(await read('/v2/orders', key)).toBe(403);
    const shown = await eventually('its use is noted', async () => {
      const { text } = await world.request(`/v2/keys/${id}`, { token: await world.token() });
      return (JSON.parse(text) as { lastUsedAt?: string }).lastUsedAt;
    }, { everyMs: 100 });
    expect(shown).toMatch(/:00\.000Z$/);
  });

  test('a key that is rotated has two texts, and one that is revoked none, within the bound', async () => {
    const made = await make();
    expect(await read('/v2/films?limit=1', made.key)).toBe(200);
    const rotated = await world.request(`/v2/keys/${made.id}/rotate`, { token: await world.token(), json: {} });
    const { key: next } = JSON.parse(rotated.text) as Made;
    texts.push(next);
    // The bound has passed: whatever an isolate knew before is old.
    await Bun.sleep(freshWithinMs);
    expect([await read('/v2/films?limit=1', made.key), await read('/v2/films?limit=1', next)]).toEqual([200, 200]);
    await revoke(made);
    // The bound again.
    await Bun.sleep(freshWithinMs);
    expect([await read('/v2/films?limit=1', made.key), await read('/v2/films?limit=1', next)]).toEqual([401, 401]);
  });

  // In one process the edge goes with the origin.
  if (stack === 'workerd') test('a revoked key stops while the origin is away, for a new isolate too, and others go on', async () => {
    const { path } = await createFilm(world);
    const [revoked, good] = [await make(), await make()];
    // What was read before the edge has heard of their making is not kept.
    await Bun.sleep(freshWithinMs);
    for (const { key } of [revoked, good]) await world.mustHit(path, { token: key });
    await revoke(revoked);
    // The report of it: with the origin gone at once, nobody could tell.
    await Bun.sleep(reportedWithinMs);
    await world.origin.kill9();
    // The rest of the bound.
    await Bun.sleep(freshWithinMs - reportedWithinMs);
    expect([await read(path, revoked.key), await read(path, good.key)]).toEqual([503, 200]);
    await world.edge.restart();
    expect([await read(path, revoked.key), await read(path, good.key)]).toEqual([503, 200]);
    await world.origin.start();
    await eventually('the origin is asked again', async () => (await read(path, revoked.key)) === 401);
    expect(await read(path, good.key)).toBe(200);
  });

  test('no text of a key is in a log, or in what is stored', async () => {
    const { key } = await make();
    await read('/v2/films', key);
    await read(`/v2/films?key=${'x'.repeat(3)}`, key);
    await world.origin.stop();
    const stored = filesIn(world.dataDir).map((file) => readFileSync(file, 'latin1'));
    const hash = new Bun.CryptoHasher('sha256').update(key).digest('hex');
    if (engine === 'sqlite') expect(stored.some((text) => text.includes(hash))).toBe(true);
    const written = [world.origin.output, ...edgeLog, ...stored].join('\n');
    for (const text of texts) for (let at = 28; at + 12 <= 71; at += 6) expect(written.includes(text.slice(at, at + 12))).toBe(false);
  });
});

function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((file) => statSync(file).isFile());
}
