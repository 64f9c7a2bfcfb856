/** Types in the bytes of a document (bsonspec.org), without making objects of it: each element is a type, a name, NUL and a value. */

/** Bytes of the values that have one size, by their types. */
const sizes: Readonly<Record<number, number>> = { 1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0 };
/** Of those that begin with their length, what it does not count. */
const uncounted: Readonly<Record<number, number>> = { 2: 4, 3: 0, 4: 0, 5: 5, 13: 4, 14: 4, 15: 0 };
const object = 3;
const date = 9;
const lengthBytes = 4;

/** Those that rules ask by are declared, so there are few. */
const stepsOf = new Map<string, readonly Buffer[]>();

/** The number of the type at a path, 0 where nothing stands; `undefined` behind a value of a type that tells its size in other ways. */
export function typeAt(bytes: Uint8Array, path: string): number | undefined {
  return elementAt(toBuffer(bytes), path)?.type;
}

/** The milliseconds of a date at a path. */
export function dateIn(given: Uint8Array, path: string): bigint | undefined {
  const bytes = toBuffer(given);
  const found = elementAt(bytes, path);
  return found?.type === date ? bytes.readBigInt64LE(found.value) : undefined;
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

interface Element {
  readonly type: number;
  /** Where its value begins. */
  readonly value: number;
}

const nothing: Element = { type: 0, value: 0 };

function elementAt(bytes: Buffer, path: string): Element | undefined {
  const steps = stepsOf.get(path) ?? path.split('.').map((step) => Buffer.from(`${step}\0`));
  stepsOf.set(path, steps);
  let value = 0;
  for (const [index, step] of steps.entries()) {
    const found = find(bytes, value + lengthBytes, step);
    if (found === undefined) return undefined;
    const type = bytes[found] ?? 0;
    value = found + 1 + step.length;
    if (index === steps.length - 1) return { type, value };
    if (type !== object) return nothing;
  }
  return nothing;
}

/** Where the element of this name begins, or where the object ends that has none. */
function find(bytes: Buffer, from: number, name: Buffer): number | undefined {
  let at = from;
  for (;;) {
    const type = bytes[at] ?? 0;
    if (type === 0 || isAt(bytes, at + 1, name)) return at;
    let end = at + 1;
    while ((bytes[end] ?? 0) !== 0) end++;
    const beside = uncounted[type];
    const size = beside === undefined ? sizes[type] : beside + bytes.readInt32LE(end + 1);
    if (size === undefined) return undefined;
    at = end + 1 + size;
  }
}

function isAt(bytes: Buffer, at: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name[index]) return false;
  return true;
}
