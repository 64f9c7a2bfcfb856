/**
 * Drives one transform of the module over a stream of chunks: the same steps for every transform, drawn in
 * `wasm/src/transform.rs`. Each stream has a context of its own in the instance, freed when it ends, is
 * refused or is closed.
 */
import { status, type CallName, type TransformInstance } from './instance.ts';

/** Most bytes handed over in one call; a larger chunk is cut. Below the bound of every transform (1 MiB). */
export const pieceBytesMax = 256 * 1024;

/** The parts of an output, copied out of the instance. */
export interface StreamOutput {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly origins: Uint8Array<ArrayBuffer>;
  readonly rejected: Uint8Array<ArrayBuffer>;
}

/** The input as a whole is refused; `report` is the transform's own JSON. */
export class StreamRefused extends Error {
  override readonly name = 'StreamRefused';
  readonly report: string;
  constructor(report: string) {
    super(`the transform refused its input: ${report}`);
    this.report = report;
  }
}

const addressUnit = 4;
const frameBytes = 8 * addressUnit;

export class TransformStreamer {
  readonly #instance: TransformInstance;
  readonly #handle: number;
  /** `reading` while a generator is under way: an output that nobody read must not be lost in silence. */
  #state: 'idle' | 'reading' | 'ended' = 'idle';

  constructor(instance: TransformInstance, open: CallName, plan: Uint8Array) {
    this.#instance = instance;
    this.#handle = instance.call(open);
    if (this.#handle === 0) throw new Error('the instance has no free context: streams were not closed');
    this.#give('configure', plan);
  }

  /** Reads a chunk. Outputs come one by one, each bounded; the generator must be read to its end. */
  *push(chunk: Uint8Array): Generator<StreamOutput, void, void> {
    this.#begin();
    for (let from = 0; from < chunk.byteLength; from += pieceBytesMax) {
      let came = this.#give('push', chunk.subarray(from, from + pieceBytesMax));
      yield* this.#output();
      while (came === status.more) {
        came = this.#settle(this.#instance.call('push', this.#handle, 0));
        yield* this.#output();
      }
    }
    this.#state = 'idle';
  }

  /** Ends the input. The transform is of no use afterwards. */
  *finish(): Generator<StreamOutput, void, void> {
    this.#begin();
    let came: number;
    do {
      came = this.#settle(this.#instance.call('finish', this.#handle));
      yield* this.#output();
    } while (came === status.more);
    this.close();
  }

  /** Frees the context. Needed where a stream is given up before its end; harmless after it. */
  close(): void {
    if (this.#state !== 'ended' && this.#instance.isLive) this.#instance.call('close', this.#handle);
    this.#state = 'ended';
  }

  #begin(): void {
    if (this.#state === 'reading') throw new Error('the output of the last call was not read to its end');
    if (this.#state === 'ended') throw new Error('the transform has ended');
    this.#state = 'reading';
  }

  #give(call: 'configure' | 'push', bytes: Uint8Array): number {
    const address = this.#instance.call('input', this.#handle, bytes.byteLength);
    if (address === 0) throw new Error(`the transform has no room for ${bytes.byteLength} bytes`);
    this.#instance.write(address, bytes);
    return this.#settle(this.#instance.call(call, this.#handle, bytes.byteLength));
  }

  #settle(came: number): number {
    if (came === status.misuse) throw new Error('the transform was called out of order');
    if (came !== status.refused) return came;
    const report = new TextDecoder().decode(this.#instance.read(...this.#parts()[3]));
    this.close();
    throw new StreamRefused(report);
  }

  *#output(): Generator<StreamOutput, void, void> {
    const [bytes, origins, rejected] = this.#parts();
    if (bytes[1] + rejected[1] === 0) return;
    const copy = (part: Part) => this.#instance.read(...part);
    yield { bytes: copy(bytes), origins: copy(origins), rejected: copy(rejected) };
  }

  #parts(): [Part, Part, Part, Part] {
    const frame = new DataView(this.#instance.read(this.#instance.call('output', this.#handle), frameBytes).buffer);
    const part = (index: number): Part => [
      frame.getUint32(2 * index * addressUnit, true),
      frame.getUint32((2 * index + 1) * addressUnit, true),
    ];
    return [part(0), part(1), part(2), part(3)];
  }
}

type Part = [address: number, length: number];
