/** A client's upload on its way to the origin: bounded, in pieces worth sending, and with its end said. */
import { formatUploadEnd, type UploadEnd } from '../../shared/hop/upload-end.ts';
import type { Pieces } from '../request/body-pieces.ts';
import { discardRest } from '../request/read-body.ts';

/** Never fails: an upload that breaks off or passes `bytesMax` ends there, and says why. */
export function toUpload(pieces: Pieces, nonce: string, bytesMax: number): ReadableStream<Uint8Array> {
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await next(pieces);
      if (typeof piece !== 'string' && bytes + piece.length <= bytesMax) {
        bytes += piece.length;
        return controller.enqueue(piece);
      }
      controller.enqueue(new TextEncoder().encode(formatUploadEnd(nonce, bytes, typeof piece === 'string' ? piece : 'body_too_large')));
      controller.close();
      // Whoever still sends gets to read the answer.
      if (typeof piece !== 'string') await discardRest(pieces);
    },
    cancel: () => pieces.cancel(),
  }, { highWaterMark: 0 });
}

function next(pieces: Pieces): Promise<Uint8Array | UploadEnd> {
  return pieces.next().then((piece) => piece ?? 'whole', () => 'body_malformed');
}
