import { expect, test } from 'bun:test';
import { mustBeServed, retirementOf } from '../../../edge/versions/retirement.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { Fault } from '../../../shared/wire/fault.ts';

const day = 86_400_000;
const on = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const target = { path: '/v3/films/1', query: '' };

test('a version says that it ends, and is gone from the day it said', () => {
  const api = versions(
    { name: 'v1', deprecated: '2025-01-01', sunset: on(Date.now() - 2 * day), link: 'https://example.org/v2' },
    { name: 'v2', deprecated: '2025-01-01', sunset: on(Date.now() + 2 * day) },
    { name: 'v3' },
  );
  const said = api.all.map((version) => retirementOf(version, target).map(([name, value]) => `${name}: ${value}`));
  expect(said).toEqual([
    [
      'deprecation: @1735689600', expect.stringMatching(/^sunset: \w{3}, \d{2} \w{3} \d{4} 00:00:00 GMT$/),
      'link: </v3/films/1>; rel="successor-version"', 'link: <https://example.org/v2>; rel="deprecation"; type="text/html"',
    ],
    ['deprecation: @1735689600', expect.any(String), 'link: </v3/films/1>; rel="successor-version"'],
    [],
  ]);
  expect(api.all.map((version) => reasonOf(() => mustBeServed(version, api)))).toEqual(['version_gone', 'served', 'served']);
});

function reasonOf(ask: () => void): string {
  try {
    ask();
    return 'served';
  } catch (thrown) {
    return thrown instanceof Fault ? thrown.reason : String(thrown);
  }
}
