/** Bodies of up to a bound, in memory: by their length where one is declared, and else counted while they are read. */
import { Fault } from '../../shared/wire/fault.ts';
import { joinedBytes } from '../../shared/wire/bytes.ts';
import { BodyPieces, type Pieces, type Reader } from './body-pieces.ts';
import { edgeLimits } from '../limits.ts';

export interface BodyBounds {
  readonly bytesMax: number;
  /** The value of `Content-Length`, if sent. */
  readonly declared: string | null;
  /** When the last byte must have come, in milliseconds of the epoch. */
  readonly deadlineAt: number;
}

/** All of a client's body. Whatever is wrong with it is the client's to mend: too much, too late, broken off, badly framed. */
export async function mustRead(raw: Request, { bytesMax, declared, deadlineAt }: BodyBounds): Promise<Uint8Array<ArrayBuffer>> {
  // The platform gathers a body of declared length by itself, at a third of the cost, and checks that length.
  if (declared !== null) {
    if (!(Number(declared) <= bytesMax)) throw tooLarge(bytesMax);
    return new Uint8Array(await mustComeBy(raw.arrayBuffer(), deadlineAt));
  }
  if (raw.body === null) return new Uint8Array(0);
  const pieces = new BodyPieces(raw.body);
  const body = await inTime(gather(pieces, bytesMax), deadlineAt).catch((cause: unknown) => {
    void pieces.cancel();
    return refuseBody(cause);
  });
  if (body !== undefined) return body;
  await discardRest(pieces);
  throw tooLarge(bytesMax);
}

/** What is read of a body by then; what goes wrong with that is the client's to mend. */
export function mustComeBy<T>(work: Promise<T>, deadlineAt: number): Promise<T> {
  return inTime(work, deadlineAt).catch(refuseBody);
}

/** Rejects when `work` has not settled by then. */
function inTime<T>(work: Promise<T>, deadlineAt: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Fault('body_late', { detail: 'the body did not arrive in time' })), deadlineAt - Date.now());
    work.finally(() => clearTimeout(timer)).then(resolve, reject);
  });
}

/** What a client did wrong whose body cannot be read to its end. */
function refuseBody(cause: unknown): never {
  if (cause instanceof Fault) throw cause;
  throw new Fault('body_malformed', { detail: 'the body broke off, or its chunks are badly framed', cause });
}

/** `undefined` as soon as there is more than `bytesMax`. */
async function gather(pieces: BodyPieces, bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const piece = await pieces.next(edgeLimits.pieceBytesUnknown);
    if (piece === undefined) return joinedBytes(chunks);
    chunks.push(piece);
    length += piece.length;
    if (length > bytesMax) return undefined;
  }
}

/**
 * Reads on to the end of a body that is refused, within bounds. If the connection closed while a client still
 * sends, the client could meet a reset before it reads the refusal (RFC 9112 §9.6); workerd itself reads on for
 * 64 KiB only.
 */
export function discard(stream: ReadableStream<Uint8Array>): Promise<void> {
  return discardRest(new BodyPieces(stream));
}

export async function discardRest(pieces: Pieces): Promise<void> {
  const late = setTimeout(() => void pieces.cancel(), edgeLimits.discardMsMax);
  try {
    let left: number = edgeLimits.discardBytesMax;
    for (let piece = await pieces.next(); piece !== undefined && left > 0 && !pieces.isCancelled; piece = await pieces.next()) {
      left -= piece.length;
    }
  } catch {
    // The client has gone: nobody is left to be told.
  } finally {
    clearTimeout(late);
    await pieces.cancel();
  }
}

/** All of the body, or as soon as there is more than `bytesMax`, a stream of what was read and of the rest. */
export async function bufferUpTo(
  stream: ReadableStream<Uint8Array> | string | Uint8Array<ArrayBuffer> | null,
  bytesMax: number,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  if (stream === null) return new Uint8Array(0);
  if (typeof stream === 'string') return wholeUpTo(encoder.encode(stream), bytesMax);
  if (stream instanceof Uint8Array) return wholeUpTo(stream, bytesMax);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    chunks.push(part.value);
    if (length > bytesMax) return resumed(chunks, reader);
  }
  return joinedBytes(chunks);
}

const encoder = new TextEncoder();

function wholeUpTo(bytes: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  return bytes.length <= bytesMax ? joinedBytes([bytes]) : new Blob([bytes]).stream();
}

export function tooLarge(bytesMax: number): Fault {
  return new Fault('body_too_large', { detail: `at most ${bytesMax} bytes` });
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

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** JSON text is UTF-8 (RFC 8259 §8.1); other bytes are refused, not repaired. */
export function mustText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not UTF-8' });
  }
}
