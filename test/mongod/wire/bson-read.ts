// Bytes to values, keeping the number types that the `bson` reader folds together (see values/types.ts).
import { BSONRegExp, BSONSymbol, Binary, Code, DBRef, Decimal128, Double, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { fail } from '../errors.ts';
import type { Doc } from '../values/types.ts';

const DEPTH_MAX = 200; // a mongod's own bound

class Reader {
  readonly bytes: Buffer;
  at: number;
  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  document(depth: number): Doc {
    const out: Doc = {};
    const end = this.enter(depth);
    for (let type = this.bytes[this.at++]; type; type = this.bytes[this.at++]) {
      const name = this.cstring();
      const value = this.value(type, depth);
      if (name === '__proto__') Object.defineProperty(out, name, { value, writable: true, enumerable: true, configurable: true });
      else out[name] = value;
    }
    if (this.at !== end) throw fail('FailedToParse', 'Invalid BSON: a document does not end where its length says');
    return out;
  }

  private array(depth: number): unknown[] {
    const out: unknown[] = [];
    this.enter(depth);
    for (let type = this.bytes[this.at++]; type; type = this.bytes[this.at++]) {
      while (this.bytes[this.at++] !== 0);
      out.push(this.value(type, depth));
    }
    return out;
  }

  private enter(depth: number): number {
    const length = this.bytes.readInt32LE(this.at);
    const end = this.at + length;
    if (depth > DEPTH_MAX || length < 5 || end > this.bytes.length) throw fail('FailedToParse', `Invalid BSON: length ${length}, depth ${depth}`);
    this.at += 4;
    return end;
  }

  private value(type: number, depth: number): unknown {
    const { bytes } = this;
    switch (type) {
      case 0x01: { const value = bytes.readDoubleLE(this.at); this.at += 8; return Number.isInteger(value) && !Object.is(value, -0) ? new Double(value) : value; }
      case 0x02: return this.string();
      case 0x03: return this.document(depth + 1);
      case 0x04: return this.array(depth + 1);
      case 0x05: return this.binary();
      case 0x06: return null;
      case 0x07: return new ObjectId(this.copy(12));
      case 0x08: return bytes[this.at++] === 1;
      case 0x09: return new Date(Number(this.int64()));
      case 0x0a: return null;
      case 0x0b: { const pattern = this.cstring(); return new BSONRegExp(pattern, this.cstring()); }
      case 0x0c: { const name = this.string(); return new DBRef(name, new ObjectId(this.copy(12))); }
      case 0x0d: return new Code(this.string());
      case 0x0e: return new BSONSymbol(this.string());
      case 0x0f: { this.at += 4; const code = this.string(); return new Code(code, this.document(depth + 1)); }
      case 0x10: { const value = bytes.readInt32LE(this.at); this.at += 4; return value; }
      case 0x11: { const i = bytes.readUInt32LE(this.at); const t = bytes.readUInt32LE(this.at + 4); this.at += 8; return new Timestamp({ t, i }); }
      case 0x12: return this.int64();
      case 0x13: return new Decimal128(this.copy(16));
      case 0x7f: return new MaxKey();
      case 0xff: return new MinKey();
      default: throw fail('FailedToParse', `Invalid BSON: element type ${type}`);
    }
  }

  private cstring(): string {
    const { bytes } = this;
    const from = this.at;
    let ascii = true;
    let at = from;
    for (let unit = bytes[at]; unit; unit = bytes[++at]) if (unit > 127) ascii = false;
    this.at = at + 1;
    return bytes.toString(ascii ? 'latin1' : 'utf8', from, at);
  }

  private string(): string {
    const length = this.bytes.readInt32LE(this.at);
    const from = this.at + 4;
    this.at = from + length;
    if (length < 1 || this.bytes[this.at - 1] !== 0) throw fail('FailedToParse', 'Invalid BSON: a string without its end');
    return this.bytes.toString('utf8', from, this.at - 1);
  }

  private binary(): Binary {
    const length = this.bytes.readInt32LE(this.at);
    const subtype = this.bytes[this.at + 4] as number;
    // The old subtype says its length once more, which is none of its bytes.
    const again = subtype === Binary.SUBTYPE_BYTE_ARRAY ? 4 : 0;
    this.at += 5 + again;
    return new Binary(this.copy(length - again), subtype);
  }

  private int64(): bigint {
    const value = this.bytes.readBigInt64LE(this.at);
    this.at += 8;
    return value;
  }

  private copy(length: number): Uint8Array {
    const out = Uint8Array.prototype.slice.call(this.bytes, this.at, this.at + length);
    this.at += length;
    return out;
  }
}

export const readDocument = (bytes: Buffer, at: number): Doc => new Reader(bytes, at).document(0);
