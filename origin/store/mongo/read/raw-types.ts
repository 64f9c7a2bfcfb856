/** Types in the bytes of a document (bsonspec.org), without making objects of it: each element is a type, a name, NUL and a value. */

/** Bytes of the values that have one size, by their types. */
const sizes: Readonly<Record<number, number>> = { 1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0 };
/** Of those that begin with their length, what it does not count. */
const uncounted: Readonly<Record<number, number>> = { 2: 4, 3: 0, 4: 0, 5: 5, 13: 4, 14: 4, 15: 0 };
const object = 3;
const lengthBytes = 4;

/** Those that rules ask by are declared, so there are few. */
const stepsOf = new Map<string, readonly Buffer[]>();

/** The number of the type at a path, 0 where nothing stands; `undefined` behind a value of a type that tells its size in other ways. */
export function typeAt({ buffer, byteOffset, byteLength }: Uint8Array, path: string): number | undefined {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const steps = stepsOf.get(path) ?? path.split('.').map((step) => Buffer.from(`${step}\0`));
  stepsOf.set(path, steps);
  let at = lengthBytes;
  for (const [index, step] of steps.entries()) {
    const found = find(bytes, at, step);
    const type = found === undefined ? undefined : bytes[found];
    if (found === undefined || type === 0 || index === steps.length - 1) return type;
    if (type !== object) return 0;
    at = found + 1 + step.length + lengthBytes;
  }
  return 0;
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
