/** API keys at an edge in workerd whose origin, and its reports, come and go: until when the last that was known is believed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Credential } from '../../shared/api-keys/credential.ts';
import { toKeyId, toKeyText } from '../../shared/api-keys/key-text.ts';
import { apiKeys } from '../../shared/api-keys/resource.ts';
import { dependenciesOfDocument } from '../../shared/contract/dependencies.ts';
import { eventually } from '../support/eventually.ts';
import { codeOf, film, World } from '../support/world.ts';

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));

class KeyWorld {
  readonly world: World;
  readonly credentials = new Map<string, Credential>();
  /** Whether the origin is of a release that knows nothing of keys. */
  isOld = false;
  keysAsked = 0;

  private constructor(world: World) {
    this.world = world;
  }

  static async start(staleIfErrorMs: number): Promise<KeyWorld> {
    const made = new KeyWorld(await World.start({ feedSilentMs: 300, variables: { TOMBOLO_STALE_IF_ERROR_MS: String(staleIfErrorMs) } }));
    const { world } = made;
    world.documents.set('kept', film('Kept'));
    world.origin.script = (seen) => {
      const [, , name, id = ''] = seen.path.split('/');
      if (name !== '.keys') return world.answer(seen);
      if (seen.method === 'POST') return { status: 204, body: null };
      made.keysAsked++;
      const problem = { status: 404, headers: { 'content-type': 'application/problem+json' }, body: '{"code":"route_not_found"}' };
      if (made.isOld) return problem;
      const read = `${world.position()};${apiKeys.digest};public`;
      const credential = made.credentials.get(id);
      if (credential === undefined) return { ...problem, read };
      return { body: JSON.stringify(credential), headers: { etag: '"a"', 'content-type': 'application/json' }, read };
    };
    return made;
  }

  make(given: Partial<Credential> = {}): string {
    const id = toKeyId(Date.now(), randomBytes);
    const key = toKeyText(id, randomBytes);
    const hash = new Bun.CryptoHasher('sha256').update(key).digest('hex');
    const principal = { subject: 'ada', roles: [], claims: { plan: 'bench' }, key: { id, scopes: ['films:read'] } };
    this.credentials.set(id, { hash, previous: null, principal, expiresAt: null, addresses: [], origins: [], ...given });
    return key;
  }

  /** As the origin commits it; the edge is told by the next report. */
  revoke(key: string): void {
    const id = key.slice(4, 28);
    this.credentials.delete(id);
    this.world.at++;
    for (const { buckets } of dependenciesOfDocument(apiKeys, id)) this.world.feed.raise(apiKeys.name, buckets[0] ?? 0, this.world.order());
  }

  async read(key: string): Promise<readonly [status: number, code: string]> {
    const answer = await this.world.get('/v2/films/kept', { authorization: `Bearer ${key}`, 'cf-connecting-ip': '192.0.2.7' });
    return [answer.status, answer.status === 200 ? '' : await codeOf(answer)];
  }
}

describe('while the origin is away and silent', () => {
  let keys: KeyWorld;
  const staleIfErrorMs = 3_000;
  beforeAll(async () => void (keys = await KeyWorld.start(staleIfErrorMs)));
  afterAll(() => keys.world.close());

  test('what was last known of a key is believed for a stated time, but no key that is known to be revoked, or unheard of', async () => {
    const { world } = keys;
    const [good, revoked, unheard] = [keys.make(), keys.make(), keys.make()];
    for (const key of [good, revoked]) expect(await keys.read(key)).toEqual([200, '']);
    await world.mustHit('/v2/films/kept');
    keys.revoke(revoked);
    await world.feed.tell();
    await world.feed.pause();
    const { port } = world.origin;
    await world.origin.stop();
    const knownUntil = performance.now();
    await world.pastMemo();
    expect(await keys.read(revoked)).toEqual([503, 'identity_unavailable']);
    expect(await keys.read(unheard)).toEqual([503, 'identity_unavailable']);
    // The feed counts as silent by now.
    await Bun.sleep(400);
    expect(await keys.read(good)).toEqual([200, '']);
    expect(await keys.read(revoked)).toEqual([503, 'identity_unavailable']);
    // What was last known has been believed for as long as was said.
    await Bun.sleep(Math.max(0, knownUntil + staleIfErrorMs + 700 - performance.now()));
    expect(await keys.read(good)).toEqual([503, 'identity_unavailable']);
    world.origin.start(port);
    await world.feed.resume();
    // The edge has paused, and finds the origin again within a second.
    await eventually('an answer of the origin', async () => (await keys.read(unheard))[0] === 200);
    expect(await keys.read(good)).toEqual([200, '']);
    expect(await keys.read(revoked)).toEqual([401, 'key_invalid']);
  }, 30_000);

  test('a revocation that no report has told yet is known after the memo at the latest, once one does', async () => {
    const { world } = keys;
    const key = keys.make();
    expect(await keys.read(key)).toEqual([200, '']);
    keys.revoke(key);
    await world.feed.tell();
    await world.pastMemo();
    expect(await keys.read(key)).toEqual([401, 'key_invalid']);
  });

  test('an origin of the release before is no answer to who asks', async () => {
    const key = keys.make();
    keys.isOld = true;
    try {
      expect(await keys.read(key)).toEqual([503, 'identity_unavailable']);
    } finally {
      keys.isOld = false;
    }
    expect(await keys.read(key)).toEqual([200, '']);
  });

  test('a key is taken from its networks by the address that Cloudflare says', async () => {
    expect(await keys.read(keys.make({ addresses: ['192.0.2.0/24'] }))).toEqual([200, '']);
    expect(await keys.read(keys.make({ addresses: ['198.51.100.0/24'] }))).toEqual([403, 'key_restricted']);
    const key = keys.make({ addresses: ['0.0.0.0/0', '::/0'] });
    const unknown = await keys.world.get('/v2/films/kept', { authorization: `Bearer ${key}` });
    expect([unknown.status, await codeOf(unknown)]).toEqual([403, 'key_restricted']);
  });
});
