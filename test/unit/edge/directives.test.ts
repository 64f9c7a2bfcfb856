/** `Cache-Control` of a request, whatever it is: what its directives do is shown in `workerd/directives.test.ts`. */
import { expect, test } from 'bun:test';
import { parseDirectives } from '../../../edge/cache/directives.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

test.each(['"', '\\"', 'a="\\"', 'a=', '"\\', 'a', 'a ', ','])('directives are read in time proportional to their length: %p', (part) => {
  expect(cpuMsOf(() => parseDirectives(part.repeat(200_000)))).toBeLessThan(1_000);
});

test('a number that is too great is a great one', () => {
  expect(parseDirectives(`min-fresh=${'9'.repeat(30)}`).noCache).toBe(true);
  expect(parseDirectives(`max-age=${'9'.repeat(400)}`).maxAgeSeconds).toBeGreaterThan(1e9);
  expect(parseDirectives('min-fresh=-1, max-age=1.5')).toMatchObject({ noCache: false, maxAgeSeconds: undefined });
});

test('a text that is sent again is read once, however many others were sent before', () => {
  for (let index = 0; index < 1_000; index++) parseDirectives(`max-age=${index}`);
  expect(parseDirectives('no-cache')).toBe(parseDirectives('no-cache'));
  expect(parseDirectives('no-cache')).toMatchObject({ noCache: true, noStore: false });
});
