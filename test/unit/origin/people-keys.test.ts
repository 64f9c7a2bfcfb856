/** The keys of tokens (SEMANTICS §20) where two processes share a database: one is over, others come, and each knows them all. */
import { expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { keySetAnswer } from '../../../origin/people/key-set.ts';
import { peopleLimits } from '../../../shared/people/limits.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

test.each(engines)('a token of before, and each of after, is good by the keys that either tells: %s', async (engine) => {
  await using world = await PeopleWorld.open(engine);
  const other = new PeopleWorld(world.dataDir, world.database);
  const [here, there] = [await world.member('ada@example.com'), other.person()];
  await there.signIn('ada@example.com', 'correct horse battery');
  const before = (await here.token()).token;
  const isOver = new Date(Date.now() - 1_000);
  if (world.database === undefined) {
    using file = new Database(join(world.dataDir, 'people.sqlite'));
    file.run('UPDATE jwks SET expiresAt = ?', [isOver.toISOString()]);
  } else {
    await world.database.foreign.collection('tombolo_people_jwks').updateMany({}, { $set: { expiresAt: isOver } });
  }
  const after = await Promise.all([here, there, here, there].map(async (person) => (await person.token()).token));
  const kids = new Set([before, ...after].map((token) => decodeProtectedHeader(token).kid));
  expect(kids.size).toBeGreaterThan(1);
  expect(decodeProtectedHeader(after[0] ?? '').kid).not.toBe(decodeProtectedHeader(before).kid);
  for (const { people } of [world, other]) {
    const told = await keySetAnswer(people);
    // An edge asks seldom, and a rotation is told in good time.
    expect(told?.headers.get('cache-control')).toBe(`public, max-age=${peopleLimits.keySetSeconds}`);
    const keys = createLocalJWKSet((await told?.json()) as JSONWebKeySet);
    for (const token of [before, ...after]) expect((await jwtVerify(token, keys)).payload.aud).toBe('tombolo');
  }
  await other.people.close();
});
