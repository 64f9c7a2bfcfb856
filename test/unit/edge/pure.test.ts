/** Clever functions beside obvious ones, compared at random. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { isCanonicalBase64Url } from '../../../shared/wire/base64.ts';
import { bufferUpTo } from '../../../edge/request/read-body.ts';
import { toTarget } from '../../../edge/request/target.ts';

test('a target is what a URL parser makes of it', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '/', '//', '/v2', '/films', '.', '..', '/.', '/..', '%2e', '%2E', '%', '%ff', '\\', '?', '??', '#', ' ', '\t', "'", '"',
      '|', '^',
      '{',
      '`',
      'ü',
      ':',
      '@',
      ';',
      '=',
      '&',
      '+',
    ),
    fc.string({ maxLength: 4 }),
    fc.uuid(),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    const url = `http://a.test/${pieces.join('')}`;
    const { pathname, search } = new URL(url);
    const { path, query } = toTarget(url);
    expect(path).toBe(pathname);
    // Whatever is named as the host, and where none is.
    for (const named of ['http://a%zz', 'http://[::1]:8787', '']) {
      expect(toTarget(`${named}/${pieces.join('')}`)).toEqual({ path, query });
    }
    // A plain path leaves its query as it came; what it says is the same.
    expect([...new URLSearchParams(query)]).toEqual([...new URLSearchParams(search)]);
  }), { numRuns: 5_000 });
});

test('base64url is canonical when encoding again gives the same text', () => {
  const character = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= ');
  fc.assert(fc.property(fc.string({ unit: character, minLength: 1, maxLength: 9 }), (text) => {
    expect(isCanonicalBase64Url(text)).toBe(Buffer.from(text, 'base64url').toString('base64url') === text);
  }), { numRuns: 5_000 });
});

const chunked = (sizes: readonly number[]) => new ReadableStream<Uint8Array<ArrayBuffer>>({
  start(controller) {
    sizes.forEach((size, index) => controller.enqueue(new Uint8Array(size).fill(index)));
    controller.close();
  },
});

test('a body is whole in memory up to its bound, and whole as a stream beyond it', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(20), { maxLength: 8 }), fc.nat(80), async (sizes, bytesMax) => {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const body = await bufferUpTo(chunked(sizes), bytesMax);
    expect(body instanceof Uint8Array).toBe(total <= bytesMax);
    const bytes = body instanceof Uint8Array ? body : await new Response(body).bytes();
    expect(Buffer.from(bytes)).toEqual(Buffer.concat(sizes.map((size, index) => Buffer.alloc(size, index))));
  }));
});
