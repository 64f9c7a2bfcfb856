/** The platform's counter per address, in real workerd: it stands before everything that costs. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import { World } from '../support/world.ts';

describe('the flood shield', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ silent: true });
  });
  afterAll(() => world.close());

  test('counts an address, and an IPv6 network as one', async () => {
    const from = (address: string) => fetch(`${world.edge.url}/v2/films?limit=1`, { headers: { 'cf-connecting-ip': address } });
    let over: Response | undefined;
    // A window may end while this counts: two of them hold one that is whole.
    for (let batch = 0; over === undefined && batch < 44; batch++) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => from(`2001:db8:0:1:${(batch * 50 + index).toString(16)}::`)),
      );
      over = answers.find(({ status }) => status === 429);
    }
    expect(over?.headers.get('retry-after')).toBe('10');
    expect(await over?.json()).toMatchObject({ code: 'limit_exceeded' });
    expect((await from('2001:db8:0:2::1')).status).toBe(200);
    expect((await from('192.0.2.1')).status).toBe(200);
  }, 60_000);
});

describe('the flood shield stands before everything', () => {
  let flooded: World;
  beforeAll(async () => {
    flooded = await World.start({ floodMax: 20, silent: true });
  });
  afterAll(() => flooded.close());

  test.each([
    ['/v2/nothing', 'GET', 404],
    ['/health', 'GET', 200],
    ['/v2/films', 'OPTIONS', 204],
    ['/v2/films', 'PROPFIND', 405],
  ])('%s %s', async (path, method, status) => {
    const from = { 'cf-connecting-ip': `192.0.2.${status % 256}` };
    const answers = await Promise.all(Array.from({ length: 50 }, () => flooded.get(path, from, method)));
    // A window may end while this counts.
    expect(answers.filter((answer) => answer.status === status).length).toBeLessThanOrEqual(40);
    const over = answers.find((answer) => answer.status === 429);
    expect(await over?.json()).toMatchObject({ code: 'limit_exceeded', 'violated-policies': ['flood'] });
    // The reports of an origin behind that address are known by their signature.
    expect((await flooded.get('/.tombolo/changes', from, 'POST')).status).toBe(401);
  });
});

test('a shield that is down, or not there, lets pass', async () => {
  // The module needs Workers' types; what the test uses of it is this.
  const modulePath: string = '../../edge/host/cloudflare.ts';
  const { toHost } = (await import(modulePath)) as { toHost(bindings: unknown): { isWithin(sender: string): Promise<boolean> } };
  const logged = spyOn(console, 'warn').mockImplementation(() => undefined);
  for (const shield of [undefined, { limit: () => Promise.reject(new Error('down')) }]) {
    expect(await toHost({ FLOOD: shield }).isWithin('192.0.2.1')).toBeTrue();
  }
  expect(logged).toHaveBeenCalledTimes(2);
  logged.mockRestore();
});
