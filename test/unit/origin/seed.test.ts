/** The sample's own import, before an API that has too much to do for a moment. */
import { expect, test } from 'bun:test';
import { seedSample } from '../../../origin/dev/seed.ts';

/** What is said of a store that has no collection of others. */
const own = { adopted: new Map(), pending: [], indexes: [] } as never;

/** An API that refuses each question once, by `status`. */
function refusing(status: number) {
  const asked = new Set<string>();
  return Bun.serve({
    port: 0, hostname: '127.0.0.1',
    fetch({ method, url }) {
      const question = `${method} ${new URL(url).pathname}`;
      if (!asked.has(question)) {
        asked.add(question);
        return new Response(null, { status, headers: { 'retry-after': '0' } });
      }
      if (method === 'GET') return Response.json({ data: [] });
      return new Response(`${JSON.stringify({ summary: { imported: 3, rejected: 0, complete: true } })}\n`);
    },
  });
}

test('what is refused for the moment\'s load is asked again, and what is refused for good ends the start', async () => {
  using loaded = refusing(503);
  expect([...(await seedSample(loaded.url.origin, 'token', own)).values()]).toEqual([3, 3, 3]);
  using forbidding = refusing(403);
  await expect(seedSample(forbidding.url.origin, 'token', own)).rejects.toThrow('answered 403');
});
