/**
 * A body in pieces that are worth a turn of JavaScript, however its sender cut it: a runtime hands out one chunk a
 * read, so 400 KB in chunks of one byte are 400 000 reads, which kept the isolate for 4 seconds. Asked for at
 * least some kilobytes workerd gathers them itself, at a twentieth of that; Bun's reads are cheap, and what is done with
 * each piece is not. Between two pieces others get a turn.
 */
import { joinedBytes } from '../../shared/wire/bytes.ts';
import { edgeLimits } from '../limits.ts';

/** The part of a stream's reader that both runtimes have and this file uses. */
export interface Reader {
  read(): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

/** workerd's own: resolves with fewer bytes than it was asked for only where the body ends. */
interface GatheringReader {
  readAtLeast(bytesMin: number, into: Uint8Array): Promise<{ readonly value?: Uint8Array | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

/** Bytes of a body, piece by piece. */
export type Pieces = Pick<BodyPieces, 'next' | 'cancel' | 'isCancelled'>;

export class BodyPieces {
  readonly #gathering: GatheringReader | undefined;
  readonly #plain: Reader | undefined;
  #isAtEnd: boolean;
  /** What was read past the most that was asked for: Bun gives all that has come. */
  #rest: Uint8Array | undefined;
  /** Why no more can be read. */
  #broken: { readonly cause: unknown } | undefined;
  #isCancelled = false;

  /** `null`: there is no body, and its end has come. */
  constructor(stream: ReadableStream<Uint8Array> | null) {
    this.#isAtEnd = stream === null;
    this.#gathering = gatheringReader(stream);
    this.#plain = this.#gathering === undefined ? stream?.getReader() : undefined;
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /**
   * The next bytes, `bytesMax` at most, or as many as the runtime gives at once; `undefined` at the end. Rejects when the sender
   * breaks off or frames badly.
   */
  async next(bytesMax: number = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    if (this.#isAtEnd) return undefined;
    const least = Math.min(edgeLimits.pieceBytesMin, bytesMax);
    const piece = await (this.#gathering === undefined ? this.#joined(least, bytesMax) : this.#gathered(this.#gathering, least, bytesMax));
    if (piece === undefined) this.#isAtEnd = true;
    // A small piece was many chunks, and more may lie ready: without a turn for others these would come before theirs.
    else if (piece.length >= least && piece.length < Math.min(2 * least, bytesMax)) await new Promise((resolve) => setTimeout(resolve, 0));
    return piece;
  }

  /** Gives the body up, and ends a read that waits. */
  async cancel(): Promise<void> {
    this.#isCancelled = true;
    await (this.#gathering ?? this.#plain)?.cancel().catch(() => undefined);
  }

  async #gathered(reader: GatheringReader, least: number, bytesMax: number): Promise<Uint8Array | undefined> {
    const { value } = await reader.readAtLeast(least, new Uint8Array(Math.min(bytesMax, edgeLimits.pieceBytesMax)));
    if (value === undefined || value.length === 0) return undefined;
    if (value.length < least) this.#isAtEnd = true;
    return value;
  }

  /** Shorter than `least` only where the body ends, or breaks off: what came before is given first. */
  async #joined(least: number, bytesMax: number): Promise<Uint8Array | undefined> {
    const chunks = this.#rest === undefined ? [] : [this.#rest];
    this.#rest = undefined;
    for (let length = chunks[0]?.length ?? 0; length < least && this.#broken === undefined; ) {
      const chunk = await this.#plain?.read().then(({ value }) => value, (cause: unknown) => void (this.#broken = { cause }));
      if (chunk === undefined) break;
      chunks.push(chunk);
      length += chunk.length;
    }
    if (chunks.length === 0 && this.#broken !== undefined) throw this.#broken.cause;
    const joined = chunks.length > 1 ? joinedBytes(chunks) : chunks[0];
    if (joined === undefined || joined.length <= bytesMax) return joined;
    this.#rest = joined.subarray(bytesMax);
    return joined.subarray(0, bytesMax);
  }
}

/** `undefined` where the runtime or the stream has none. */
function gatheringReader(stream: ReadableStream<Uint8Array> | null): GatheringReader | undefined {
  if (stream === null || !('readAtLeast' in ReadableStreamBYOBReader.prototype)) return undefined;
  return stream.getReader({ mode: 'byob' }) as unknown as GatheringReader;
}
