/**
 * An upload as the edge passes it on: whole where its end says so, and a failure otherwise. What reads it meets the
 * failure before it sees an end, so that nothing takes half a row for a whole one (SEMANTICS §10).
 */
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import { lengthUnknown, parseUploadEnd, uploadEndBytes } from '../../shared/hop/upload-end.ts';
import { paced } from './upload-pace.ts';

interface Sent {
  /** Under which its end is said. */
  readonly nonce: string;
  /** The length that the client declared, or that there was none. */
  readonly length: string | null;
}

type Stream = ReadableStream<Uint8Array> | null;

export function readUpload(stream: Stream, { nonce, length }: Sent, bytesMax: number): AsyncIterable<Uint8Array> {
  return read(stream, { nonce, declared: mustDeclared(length), bytesMax });
}

interface Expected {
  readonly nonce: string;
  readonly declared: number | undefined;
  readonly bytesMax: number;
}

async function* read(stream: Stream, expected: Expected): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunksOf(stream)) {
    const { free, kept } = holdBack(held, chunk);
    held = kept;
    bytes += free.length;
    if (bytes > expected.bytesMax) throw tooLarge(expected);
    if (free.length > 0) yield free;
  }
  mustBeWhole(new TextDecoder().decode(held), bytes, expected);
}

/** The edge signs the length that the client declared, or that there was none. */
function mustDeclared(text: string | null): number | undefined {
  if (text === lengthUnknown) return undefined;
  if (text === null || !/^\d{1,12}$/.test(text)) {
    throw new Fault('hop_invalid', { detail: 'an edge says of each upload how long it is and where it ends' });
  }
  return Number(text);
}

async function* chunksOf(stream: Stream): AsyncGenerator<Uint8Array> {
  if (stream === null) return;
  try {
    yield* paced(stream, pace);
  } catch (cause) {
    throw cause instanceof Fault ? cause : brokenOff({ cause });
  }
}

const pace = { silenceMsMax: limits.importSilenceMsMax, bytesPerSecondMin: limits.importBytesPerSecondMin };

/** All but the last bytes, in a buffer of its own that can be given away; the last may be the end, or a part of it. */
function holdBack(held: Uint8Array, chunk: Uint8Array): { readonly free: Uint8Array; readonly kept: Uint8Array } {
  const freeBytes = Math.max(0, held.length + chunk.length - uploadEndBytes);
  const free = new Uint8Array(freeBytes);
  free.set(held.subarray(0, freeBytes));
  if (freeBytes > held.length) free.set(chunk.subarray(0, freeBytes - held.length), held.length);
  const kept = Buffer.concat([held.subarray(freeBytes), chunk.subarray(Math.max(0, freeBytes - held.length))]);
  return { free, kept };
}

function mustBeWhole(text: string, bytes: number, expected: Expected): void {
  const { nonce, declared } = expected;
  const end = parseUploadEnd(text, nonce, bytes);
  if (end === 'body_too_large') throw tooLarge(expected);
  if (end !== 'whole' || (declared !== undefined && declared !== bytes)) {
    throw brokenOff({ facts: { end: end ?? 'not said', bytes, declared } });
  }
}

function tooLarge({ bytesMax }: Expected): Fault {
  return new Fault('body_too_large', { detail: `an import has at most ${bytesMax} bytes` });
}

function brokenOff(given: { readonly cause?: unknown; readonly facts?: Readonly<Record<string, unknown>> }): Fault {
  return new Fault('body_malformed', { ...given, detail: 'the upload broke off, or its chunks are badly framed' });
}
