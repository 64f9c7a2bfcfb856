/** Bodies of up to a bound, in memory: counted while they are read, because a length may be absent or lie. */
import { Fault } from '../shared/contract/fault.ts';
import { edgeLimits } from './limits.ts';

/** `undefined` as soon as there is more than `bytesMax`; what was read is thrown away then. */
export async function readUpTo(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const body = await bufferUpTo(stream, bytesMax);
  if (body instanceof Uint8Array) return body;
  await discard(body);
  return undefined;
}

/**
 * Reads on to the end of a body that is refused, within bounds. If the connection closed while a client still
 * sends, the client could meet a reset before it reads the refusal (RFC 9112 §9.6); workerd itself reads on for
 * 64 KiB only.
 */
export async function discard(stream: ReadableStream<Uint8Array>): Promise<void> {
  const reader = stream.getReader();
  const end = () => reader.cancel().catch(() => undefined);
  const late = setTimeout(end, edgeLimits.discardMsMax);
  try {
    let left: number = edgeLimits.discardBytesMax;
    for (let part = await reader.read(); !part.done && left > 0; part = await reader.read()) left -= part.value.length;
  } catch {
    // The client has gone: nobody is left to be told.
  } finally {
    clearTimeout(late);
    await end();
  }
}

/** All of it, or as soon as there is more than `bytesMax`, a stream of what was read and of the rest. */
export async function bufferUpTo(stream: ReadableStream<Uint8Array> | null, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  if (stream === null) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    chunks.push(part.value);
    if (length > bytesMax) return resumed(chunks, reader);
  }
  return joined(chunks, length);
}

/** The same stream, which fails with `body_too_large` once more has passed than may. */
export function bounded(stream: ReadableStream<Uint8Array>, bytesMax: number): ReadableStream<Uint8Array> {
  let length = 0;
  return stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      length += chunk.length;
      if (length > bytesMax) controller.error(tooLarge(bytesMax));
      else controller.enqueue(chunk);
    },
  }));
}

export function tooLarge(bytesMax: number): Fault {
  return new Fault('body_too_large', { detail: `at most ${bytesMax} bytes` });
}

/** The two runtimes differ in the type of a reader, not in this. */
interface Reader {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

function resumed(chunks: Uint8Array[], reader: Reader): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const read = chunks.shift() ?? (await reader.read()).value;
      if (read === undefined) controller.close();
      else controller.enqueue(read);
    },
    cancel: (reason) => reader.cancel(reason),
  });
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
