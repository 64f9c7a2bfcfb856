/** BSON → JSON text in TypeScript alone, for the types of the benchmark's documents: what the module has to beat. */

/** Types of BSON by their number. */
const types = { double: 1, string: 2, object: 3, array: 4, boolean: 8, date: 9, null: 10, int32: 16 } as const;

export function walk(bytes: Uint8Array): string {
  return toObject(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, types.object, true);
}

function toObject(bytes: Buffer, start: number, type: number, isTop: boolean): string {
  const end = start + bytes.readInt32LE(start) - 1;
  let text = '';
  for (let at = start + 4; at < end; ) {
    const kind = bytes[at] ?? 0;
    const behindName = bytes.indexOf(0, at + 1) + 1;
    const name = type === types.array ? '' : bytes.toString('latin1', at + 1, behindName - 1);
    if (text !== '') text += ',';
    if (name !== '') text += isTop && name === '_id' ? '"id":' : `"${name}":`;
    text += toText(bytes, behindName, kind);
    at = behindName + lengthOf(bytes, behindName, kind);
  }
  return type === types.array ? `[${text}]` : `{${text}}`;
}

function toText(bytes: Buffer, at: number, kind: number): string {
  switch (kind) {
    case types.string: return JSON.stringify(bytes.toString('utf8', at + 4, at + 3 + bytes.readInt32LE(at)));
    case types.object: case types.array: return toObject(bytes, at, kind, false);
    case types.int32: return String(bytes.readInt32LE(at));
    case types.double: return String(bytes.readDoubleLE(at));
    case types.boolean: return String(bytes[at] === 1);
    case types.null: return 'null';
    case types.date: return `"${new Date(bytes.readUInt32LE(at) + bytes.readInt32LE(at + 4) * 2 ** 32).toISOString()}"`;
    default: throw new Error(`type ${kind} is not in these documents`);
  }
}

function lengthOf(bytes: Buffer, at: number, kind: number): number {
  if (kind === types.string) return 4 + bytes.readInt32LE(at);
  if (kind === types.object || kind === types.array) return bytes.readInt32LE(at);
  return kind === types.int32 ? 4 : kind === types.null ? 0 : kind === types.boolean ? 1 : 8;
}
