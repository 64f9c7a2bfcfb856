/** Bodies of up to a bound, in memory: counted while they are read, because a length may be absent or lie. */
import { Fault } from '../shared/contract/fault.ts';

/** `undefined` as soon as there is more than `bytesMax`; what was read is thrown away then. */
export async function readUpTo(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (stream === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > bytesMax) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(part.value);
  }
  return joined(chunks, length);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** JSON text is UTF-8 (RFC 8259 §8.1); other bytes are refused, not repaired. */
export function mustText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not UTF-8' });
  }
}
