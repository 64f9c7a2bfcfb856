import { expect, test } from 'bun:test';
import { parseDirectives } from '../../../edge/cache/directives.ts';

test('a text that is sent again is read once, however many others were sent before', () => {
  for (let index = 0; index < 1_000; index++) parseDirectives(`max-age=${index}`);
  expect(parseDirectives('no-cache')).toBe(parseDirectives('no-cache'));
  expect(parseDirectives('no-cache')).toMatchObject({ noCache: true, noStore: false });
});
