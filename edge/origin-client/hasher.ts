/**
 * HMAC-SHA256 (RFC 2104) and SHA-256 in Wasm (`wasm/mac`), answered at once. Web Crypto is faster at hashing and answers by
 * a promise: for texts as short as those of the hop the turn of the event loop that it costs is four times the work.
 */
import { toBase64 } from '../../shared/wire/base64.ts';

const encoder = new TextEncoder();

/** The number of a key that was handed over. */
export type KeyNumber = number & { readonly __key: true };

type Call = (word?: number) => number;
const names = ['buffer', 'add_key', 'begin_mac', 'begin_digest', 'push', 'finish'] as const;
type Calls = Readonly<Record<(typeof names)[number], Call>>;

const bufferBytes = 16_384;
const hashBytes = 32;

export class Hasher {
  readonly #calls: Calls;
  readonly #buffer: Uint8Array<ArrayBuffer>;
  /** Where the module leaves a hash. */
  readonly #hash: Uint8Array<ArrayBuffer>;

  constructor(module: WebAssembly.Module) {
    const { exports } = new WebAssembly.Instance(module, {});
    const { memory } = exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error('the module exports no memory');
    const found = names.map((name) => {
      const call = exports[name];
      if (typeof call !== 'function') throw new Error(`the module exports no ${name}`);
      return [name, call] as const;
    });
    this.#calls = Object.fromEntries(found) as Calls;
    // The memory never grows, so one view stays good.
    this.#buffer = new Uint8Array(memory.buffer as ArrayBuffer, this.#calls.buffer(), bufferBytes);
    this.#hash = this.#buffer.subarray(0, hashBytes);
  }

  /** Keeps a secret in the module, under a number. */
  addKey(secret: Uint8Array): KeyNumber {
    this.#buffer.set(secret);
    return this.#mustTake(this.#calls.add_key(secret.length)) as KeyNumber;
  }

  mac(key: KeyNumber, text: string): Uint8Array<ArrayBuffer> {
    return this.#mac(key, text).slice();
  }

  /** In base64. A copy of the bytes, which are memory of their own to the platform, costs as much as the hash. */
  macText(key: KeyNumber, text: string): string {
    return toBase64(this.#mac(key, text));
  }

  digest(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#digest(bytes).slice();
  }

  digestText(bytes: Uint8Array): string {
    return toBase64(this.#digest(bytes));
  }

  #mac(key: KeyNumber, text: string): Uint8Array<ArrayBuffer> {
    this.#mustTake(this.#calls.begin_mac(key));
    // UTF-8 takes three bytes at most for a unit of UTF-16.
    if (text.length * 3 <= bufferBytes) this.#mustTake(this.#calls.push(encoder.encodeInto(text, this.#buffer).written));
    else this.#pushAll(encoder.encode(text));
    return this.#finish();
  }

  #digest(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#calls.begin_digest();
    this.#pushAll(bytes);
    return this.#finish();
  }

  #pushAll(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += bufferBytes) {
      const piece = bytes.subarray(at, at + bufferBytes);
      this.#buffer.set(piece);
      this.#mustTake(this.#calls.push(piece.length));
    }
  }

  /** The hash where the module leaves it: the next one takes its place. */
  #finish(): Uint8Array<ArrayBuffer> {
    this.#mustTake(this.#calls.finish());
    return this.#hash;
  }

  #mustTake(answer: number): number {
    if (answer === 0) throw new Error('the module was used wrongly');
    return answer;
  }
}
