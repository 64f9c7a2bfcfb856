/** `wrangler.toml` has what a deploy has to fill in as lines to uncomment; each must be right once it is. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { offered } from '../../../shared/resources/plans.ts';
import { mustEdgeSettings } from '../../../shared/settings/edge-settings.ts';
import { toUnknownVariables } from '../../../shared/settings/unknown-variables.ts';
import type { Variables } from '../../../shared/settings/reader.ts';

const text = readFileSync(join(import.meta.dir, '../../../wrangler.toml'), 'utf8');
const key = `k1:${Buffer.alloc(32).toString('base64url')}`;

interface Config {
  readonly routes?: readonly object[];
  readonly vars: Variables;
}

function uncommented(pattern?: RegExp): Config {
  return Bun.TOML.parse(pattern === undefined ? text : text.replace(pattern, '$1')) as unknown as Config;
}

test('a custom domain and a route are lines to uncomment', () => {
  expect(uncommented(/^# (routes = .*custom_domain)/m).routes).toEqual([{ pattern: 'api.example.com', custom_domain: true }]);
  expect(uncommented(/^# (routes = .*zone_name)/m).routes).toEqual([{ pattern: 'api.example.com/*', zone_name: 'example.com' }]);
});

test('with its four variables uncommented and the secret nothing is missing, and without them all four are told', () => {
  const { vars } = uncommented(/^# (TOMBOLO_\w+ =)/gm);
  expect(mustEdgeSettings({ ...vars, TOMBOLO_KEYS: key }, offered.byName)).toMatchObject({
    environment: 'production',
    audience: 'https://api.example.com',
  });
  expect(toUnknownVariables(vars)).toEqual([]);
  for (const name of ['TOMBOLO_ORIGIN_URL', 'TOMBOLO_ISSUER', 'TOMBOLO_AUDIENCE', 'TOMBOLO_JWKS_URL']) {
    expect(() => mustEdgeSettings({ ...uncommented().vars, TOMBOLO_KEYS: key }, offered.byName)).toThrow(name);
  }
});
