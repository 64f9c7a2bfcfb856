/** What `npm run soak` does sixty times as long: nothing that an edge could pass on makes the origin fail. */
import { expect, test } from 'bun:test';
import { fuzzOrigin } from './origin-fuzz.ts';

test('hostile inputs behind a true signature are refused with a problem that names the place, and change nothing', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { statuses } = await fuzzOrigin({ seed, inputs: 4_000 });
  // Inputs of all kinds were met: what makes sense is answered, what does not is refused in all its ways.
  for (const status of [200, 400, 404, 405, 422]) expect([status, (statuses[status] ?? 0) > 0]).toEqual([status, true]);
}, 60_000);
