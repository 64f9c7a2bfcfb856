/** API keys that are rotated: which text is taken from when on, and until when, whatever the edge knew a moment before. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import { served } from '../../../shared/resources/all.ts';
import { ContractWorld, type WorldAnswer } from '../../support/contract-world.ts';
import { engines } from '../../support/whole-world.ts';

/** The memo of these worlds, and what a report may take. */
const stoppedWithinMs = 100 + 250;
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const told = ({ status, json }: WorldAnswer) => [status, json['code']];

describe.each(engines)('on %s', (engine) => {
  let world: ContractWorld;
  const spies = (['info', 'warn', 'error'] as const).map((level) => spyOn(console, level).mockImplementation(() => undefined));
  beforeAll(async () => {
    world = await ContractWorld.on(engine, served);
  }, 60_000);
  afterAll(async () => {
    spies.forEach((spy) => spy.mockRestore());
    await world[Symbol.asyncDispose]();
  });

  const token = async () => bearer(await world.issuer.token('ed', { payload: { sub: 'ed', roles: ['editor'] } }));
  const make = async () => {
    const { json } = await world.request('/v2/keys', { json: { name: 'a', scopes: ['films:read'] }, headers: await token() });
    return { id: String(json['id']), key: String(json['key']) };
  };
  const films = (key: string) => world.request('/v2/films', { headers: bearer(key) });
  const keysAsked = () => world.asked.filter((question) => question.includes('/.keys/') && question.startsWith('GET')).length;

  test('a rotated key has two texts for a while, and then one', async () => {
    const { id, key } = await make();
    const rotate = async (overlapSeconds: number) => {
      const answer = await world.request(`/v2/keys/${id}/rotate`, { json: { overlapSeconds }, headers: await token() });
      expect(answer.status).toBe(201);
      await Bun.sleep(stoppedWithinMs);
      return String(answer.json['key']);
    };
    const second = await rotate(60);
    expect([(await films(key)).status, (await films(second)).status]).toEqual([200, 200]);
    const third = await rotate(0);
    expect([told(await films(key)), told(await films(second)), (await films(third)).status]).toEqual(
      [[401, 'key_invalid'], [401, 'key_invalid'], 200],
    );
    const fourth = await rotate(1);
    expect([(await films(third)).status, (await films(fourth)).status]).toEqual([200, 200]);
    // The overlap is over.
    await Bun.sleep(1_000);
    expect([told(await films(third)), (await films(fourth)).status]).toEqual([[401, 'key_invalid'], 200]);
  });

  test('a text is taken from the moment that it is given, and one that is over is asked about once', async () => {
    const { id, key: first } = await make();
    await Bun.sleep(stoppedWithinMs);
    const rotate = async () => {
      expect((await films(first)).status).toBeWithin(200, 402);
      const rotated = await world.request(`/v2/keys/${id}/rotate`, { json: { overlapSeconds: 0 }, headers: await token() });
      return String(rotated.json['key']);
    };
    // What is known of the key is as fresh as can be, and older than its rotation.
    for (let times = 0; times < 3; times++) expect((await films(await rotate())).status).toBe(200);
    await Bun.sleep(stoppedWithinMs);
    expect(told(await films(first))).toEqual([401, 'key_invalid']);
    const before = keysAsked();
    for (let count = 0; count < 10; count++) expect(told(await films(first))).toEqual([401, 'key_invalid']);
    expect(keysAsked()).toBe(before);
    const last = await rotate();
    world.isAway = true;
    // Nobody can say.
    expect(told(await films(last))).toEqual([503, 'identity_unavailable']);
    world.isAway = false;
    expect((await films(last)).status).toBe(200);
  });
});
