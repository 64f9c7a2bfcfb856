/**
 * An upload's end is said at the edge and believed at the origin: whatever happens to the bytes between, nothing else is
 * taken for whole.
 */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { toUpload } from '../../../edge/origin-client/upload.ts';
import { readUpload } from '../../../origin/hop/upload.ts';
import { randomNonce } from '../../support/scripted-origin.ts';
import { BodyPieces } from '../../../edge/request/body-pieces.ts';

const bytesMax = 400;
const nonce = randomNonce();

function streamOf(pieces: readonly Uint8Array[], fails = false): ReadableStream<Uint8Array<ArrayBuffer>> {
  const left = pieces.map((piece) => new Uint8Array(piece));
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece !== undefined) return controller.enqueue(piece);
      if (fails) controller.error(new Error('the connection is lost'));
      else controller.close();
    },
  }, { highWaterMark: 0 });
}

/** The same bytes cut elsewhere. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; at += sizes[turn++ % sizes.length] ?? 1) {
    pieces.push(bytes.slice(at, at + (sizes[turn % sizes.length] ?? 1)));
  }
  return pieces;
}

async function received(pieces: readonly Uint8Array[], declared = 'unknown', known = nonce): Promise<{ bytes: Buffer; failed: unknown }> {
  const taken: Uint8Array[] = [];
  try {
    for await (const chunk of readUpload(streamOf(pieces), { nonce: known, length: declared }, bytesMax)) taken.push(chunk);
  } catch (failed) {
    return { bytes: Buffer.concat(taken), failed };
  }
  return { bytes: Buffer.concat(taken), failed: undefined };
}

const piecesOf = fc.array(fc.uint8Array({ minLength: 1, maxLength: 90 }), { maxLength: 6 });
const sizesOf = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 5 });

test('what a client sent arrives, however it is cut on the way, and whole only where it ended', async () => {
  await fc.assert(fc.asyncProperty(piecesOf, sizesOf, fc.boolean(), async (pieces, sizes, fails) => {
    const all = Buffer.concat(pieces);
    const wire = await new Response(toUpload(new BodyPieces(streamOf(pieces, fails)), nonce, bytesMax)).bytes();
    const { bytes, failed } = await received(cut(wire, sizes));
    if (all.length > bytesMax) return expect(failed).toMatchObject({ reason: 'body_too_large' });
    expect(bytes).toEqual(all);
    if (fails) expect(failed).toMatchObject({ reason: 'body_malformed' });
    else expect(failed).toBeUndefined();
  }), { numRuns: 500 });
});

test('bytes that are lost on the way are noticed, wherever they were', async () => {
  const text = Buffer.from('{"title":"One"}\n{"title":"Two"}\n');
  const wire = await new Response(toUpload(new BodyPieces(streamOf([text])), nonce, bytesMax)).bytes();
  expect((await received([wire], String(text.length))).failed).toBeUndefined();
  for (let at = 0; at < wire.length; at++) {
    expect((await received([wire.slice(0, at)])).failed).toMatchObject({ reason: 'body_malformed' });
    expect((await received([wire.slice(0, at), wire.slice(at + 1)])).failed).toMatchObject({ reason: 'body_malformed' });
  }
  expect((await received([wire], String(text.length + 1))).failed).toMatchObject({ reason: 'body_malformed' });
  expect((await received([wire], 'unknown', randomNonce())).failed).toMatchObject({ reason: 'body_malformed' });
});

test('a body comes in pieces of what is asked for at most, and what came before it broke off comes first', async () => {
  await fc.assert(fc.asyncProperty(piecesOf, fc.integer({ min: 1, max: 120 }), fc.boolean(), async (pieces, max, fails) => {
    const body = new BodyPieces(streamOf(pieces, fails));
    const taken: Uint8Array[] = [];
    const ended = (async () => {
      for (let piece = await body.next(max); piece !== undefined; piece = await body.next(max)) taken.push(piece);
      return 'whole';
    })().catch(({ message }: Error) => message);
    expect(await ended).toBe(fails ? 'the connection is lost' : 'whole');
    expect(Math.max(0, ...taken.map(({ length }) => length))).toBeLessThanOrEqual(max);
    expect(Buffer.concat(taken)).toEqual(Buffer.concat(pieces));
  }), { numRuns: 300 });
});
