/**
 * The committed module with other instructions in one of its functions, for what the real one never does:
 * it has no input known to trap it, and speaks one version of its border.
 */

/** `unreachable`: what a panic comes to. */
export const trap = [0x00];

/** A loop without an end, and the result that the function would have. */
export const spin = [0x03, 0x40, 0x0c, 0x00, 0x0b, 0x41, 0x00];

/** `i32.const`, for numbers of one LEB128 byte. */
export const answer = (number: number) => [0x41, number];

const exportSection = 7;
const codeSection = 10;
const noLocals = 0x00;
const nop = 0x01;
const end = 0x0b;

export function withCode(name: string, code: readonly number[], module: Uint8Array): WebAssembly.Module {
  const bytes = module.slice();
  const [from, to] = bodyOf(functionIndex(bytes, name), bytes);
  // The rest of the body becomes nothing, so that every length stays as it is.
  bytes.fill(nop, from, to);
  bytes.set([noLocals, ...code], from);
  bytes[to - 1] = end;
  return new WebAssembly.Module(bytes);
}

function functionIndex(bytes: Uint8Array, wanted: string): number {
  const reader = new Reader(bytes, section(bytes, exportSection));
  for (let left = reader.number(); left > 0; left -= 1) {
    const length = reader.number();
    const name = new TextDecoder().decode(bytes.subarray(reader.at, reader.at + length));
    reader.at += length;
    const kind = reader.number();
    const index = reader.number();
    if (kind === 0 && name === wanted) return index;
  }
  throw new Error(`no function ${wanted} is exported`);
}

function bodyOf(index: number, bytes: Uint8Array): [from: number, to: number] {
  const reader = new Reader(bytes, section(bytes, codeSection));
  reader.number();
  // The module imports nothing, so that functions are numbered as their bodies are.
  for (let before = 0; before < index; before += 1) {
    const length = reader.number();
    reader.at += length;
  }
  const length = reader.number();
  return [reader.at, reader.at + length];
}

function section(bytes: Uint8Array, wanted: number): number {
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.byteLength) {
    const kind = reader.number();
    const length = reader.number();
    if (kind === wanted) return reader.at;
    reader.at += length;
  }
  throw new Error(`no section ${wanted}`);
}

/** Reads LEB128 numbers. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;
  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  number(): number {
    let number = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++] ?? 0;
      number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return number;
    }
  }
}
