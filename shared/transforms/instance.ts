/**
 * One live instance of the Rust module, and the rule that goes with it: whatever escapes from a call into
 * it (a trap, an exhausted stack) ends the instance. Its memory may be half-written by then, and the
 * platform itself would let it be called again, so that it is dropped here and every later call refused.
 *
 * The exports are those of `wasm/src/lib.rs`; numbers in, numbers out.
 */

/** The version of the border that this code speaks: `ABI_VERSION` of `wasm/src/lib.rs`. */
const abiVersion = 1;

/** What a call came to: `Status` of `wasm/src/transform.rs`. */
export const status = { ready: 0, more: 1, done: 2, refused: 3, misuse: 4 } as const;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Call = (...words: number[]) => number;
const calls = ['abi_version', 'csv_open', 'bson_open', 'input', 'configure', 'push', 'finish', 'output', 'close'] as const;
export type CallName = (typeof calls)[number];

/** The instance trapped, now or before; nothing more can come from it. */
export class TransformTrapped extends Error {
  override readonly name = 'TransformTrapped';
}

/** The module is not the one that this code was written for. */
export class TransformIncompatible extends Error {
  override readonly name = 'TransformIncompatible';
}

/**
 * Serves one transform after another, or a few at once: making an instance costs half a millisecond, and a
 * new memory can cost a full garbage collection (60 ms beside a large heap in Bun).
 */
export class TransformInstance {
  #live: { memory: WebAssembly.Memory; calls: Record<CallName, Call> } | undefined;
  #trap: unknown;

  constructor(module: WebAssembly.Module) {
    this.#live = mustMatch(new WebAssembly.Instance(module, {}));
    const version = this.call('abi_version');
    if (version !== abiVersion) {
      throw new TransformIncompatible(`the module speaks ABI ${version}, this host ${abiVersion}`);
    }
  }

  /** Whether it never trapped: a holder makes a new one where this is false. */
  get isLive(): boolean {
    return this.#live !== undefined;
  }

  /** What the instance holds; memory never shrinks, so that it is also the most that it ever held. */
  get memoryBytes(): number {
    return this.#mustLive().memory.buffer.byteLength;
  }

  call(name: CallName, ...words: number[]): number {
    const live = this.#mustLive();
    try {
      // Wasm hands its u32 over as a signed number.
      return live.calls[name](...words) >>> 0;
    } catch (cause) {
      this.#live = undefined;
      this.#trap = cause;
      throw new TransformTrapped(`the transform trapped in ${name}`, { cause });
    }
  }

  /** Copies `bytes` into the instance. Views are made anew each time: a call may have grown the memory. */
  write(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#mustLive().memory.buffer, address, bytes.byteLength).set(bytes);
  }

  /** A copy of what lies in the instance. */
  read(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#mustLive().memory.buffer, address, length).slice() as Uint8Array<ArrayBuffer>;
  }

  /** Words that lie in the instance: a view, good until the next call. */
  words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.#mustLive().memory.buffer, address, count);
  }

  /** UTF-8 that lies in the instance, without a copy of its bytes. */
  text(address: number, length: number): string {
    return decoder.decode(new Uint8Array(this.#mustLive().memory.buffer, address, length));
  }

  #mustLive() {
    if (this.#live) return this.#live;
    throw new TransformTrapped('the transform trapped earlier; its instance is thrown away', { cause: this.#trap });
  }
}

/** Every name is looked up and found to be of its kind, so that the record is what its type says. */
function mustMatch(instance: WebAssembly.Instance) {
  const { memory } = instance.exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new TransformIncompatible('the module exports no memory');
  const found = calls.map((name) => {
    const call = instance.exports[name];
    if (typeof call !== 'function') throw new TransformIncompatible(`the module exports no ${name}`);
    return [name, call] as const;
  });
  return { memory, calls: Object.fromEntries(found) as Record<CallName, Call> };
}
