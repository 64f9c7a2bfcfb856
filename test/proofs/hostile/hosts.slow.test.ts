/** What `Host` says at every door: one host, none as HTTP/1.0 may, or what can be none; and that a path is whole in each case. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { freePort } from '../../support/free-port.ts';
import { signHop } from '../../support/signed-hop.ts';
import { stacks, startWorld, type World } from '../../support/whole-world.ts';
import { sendRaw } from './raw-http.ts';

/** Of no form, several, and none of an `http` URI. */
const impossible = ['', 'a b', 'a, b', 'a/b', 'user@a', 'a\\b', 'a#b', 'a?b', '://', 'é', 'a%zz', '[zz', '[::1', 'a:b', ':80'];
const possible = ['localhost', 'LOCALHOST:8787', '127.0.0.1:1', '[::1]', '[::1]:8787', 'a_b.test', 'a:', 'a:99999', 'xn--', '1.2.3.999'];

const metricsPort = freePort();
const metricsUrl = `http://127.0.0.1:${metricsPort}`;

describe.each([...stacks])('hosts, in %s', (stack) => {
  let world: World;
  beforeAll(async () => {
    const variables = { TOMBOLO_METRICS_PORT: String(metricsPort) };
    world = await startWorld({ engine: 'sqlite', stack, people: 'http://localhost:8787', variables });
  });
  afterAll(() => world.close());

  const named = async (target: string, host: string, headers: readonly string[] = []) => {
    const { status, body, isOurs } = await sendRaw(world.edge.url, { target, headers: [`Host: ${host}`, ...headers] });
    return { status, isOurs, code: /"code":"([a-z_]+)"/.exec(body)?.[1] };
  };

  test('one that can be none is refused, whatever is asked for', async () => {
    for (const host of [...impossible, 'a.test\r\nHost: b.test']) {
      for (const target of ['/ready', '/.well-known/jwks.json', '/docs', '/x/docs', '/v2/films?limit=1', '/v2/./films']) {
        const { status, code, isOurs } = await named(target, host);
        // workerd refuses most of them itself, before the Worker.
        const refused = isOurs || stack === 'one process' ? [400, 'header_invalid'] : [status >= 400 ? status : 400, undefined];
        expect([host, target, status, code]).toEqual([host, target, ...refused]);
      }
    }
  });

  test('one that can be is not asked for more', async () => {
    for (const host of possible) {
      expect([host, await named('/v2/./films?limit=1', host)]).toEqual([host, { status: 200, isOurs: true, code: undefined }]);
      const foreign = await named('/auth/get-session', host, ['Origin: https://evil.test']);
      expect([host, foreign.status, foreign.code]).toEqual([host, 403, 'origin_not_allowed']);
    }
  });

  test('where HTTP/1.0 names none, a path is what it is', async () => {
    const ask = async (target: string) => (await sendRaw(world.edge.url, { target, version: '1.0' })).status;
    const answers: Record<string, number> = {};
    for (const target of ['/ready', '/docs', '/v2/films?limit=1', '/v2/./films', '/x/docs', '/x/ready', '/x/v2/films', '//docs']) {
      answers[target] = await ask(target);
    }
    // workerd takes no request without a host.
    const [found, absent] = stack === 'one process' ? [200, 404] : [400, 400];
    expect(answers).toEqual({
      '/ready': found, '/docs': found, '/v2/films?limit=1': found, '/v2/./films': found,
      '/x/docs': absent, '/x/ready': absent, '/x/v2/films': absent, '//docs': absent,
    });
  });

  test('the port for operators holds it so too', async () => {
    const ask = async (target: string, host?: string) =>
      (await sendRaw(metricsUrl, host === undefined ? { target, version: '1.0' } : { target, headers: [`Host: ${host}`] })).status;
    expect([await ask('/ready'), await ask('/metrics'), await ask('/x/ready'), await ask('/x/metrics')]).toEqual([200, 200, 404, 404]);
    for (const host of impossible) expect([host, await ask('/metrics', host)]).toEqual([host, 400]);
  });

  if (stack === 'workerd') {
    test('the origin holds it so too, and verifies the path that was signed', async () => {
      const ask = async (target: string, sent: { readonly host?: string; readonly signed?: string } = {}) => {
        const { init } = signHop(world.keys, { url: `http://origin.test${sent.signed ?? target}` });
        const fields = sent.signed === undefined ? [] : Object.entries(init.headers).map(([name, value]) => `${name}: ${value}`);
        const headers = sent.host === undefined ? fields : [`Host: ${sent.host}`, ...fields];
        const { status, body } = await sendRaw(world.origin.url, {
          target, headers, ...(sent.host === undefined ? { version: '1.0' as const } : {}),
        });
        return [status, /"code":"([a-z_]+)"/.exec(body)?.[1]];
      };
      expect(await ask('/health')).toEqual([200, undefined]);
      expect(await ask('/x/health')).toEqual([401, 'hop_unsigned']);
      expect(await ask('/nothing', { signed: '/nothing' })).toEqual([404, 'route_not_found']);
      expect(await ask('/x/nothing', { signed: '/nothing' })).toEqual([401, 'hop_invalid']);
      for (const host of impossible) {
        expect([host, await ask('/health', { host })]).toEqual([host, [400, undefined]]);
        expect([host, await ask('/nothing', { host, signed: '/nothing' })]).toEqual([host, [400, undefined]]);
      }
    });
  }
});
