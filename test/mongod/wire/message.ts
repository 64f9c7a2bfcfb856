// The wire's messages: OP_MSG both ways, OP_QUERY and OP_REPLY for the legacy hello alone.
// https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
import { BSONVersionError, calculateObjectSize, serializeWithBufferAndIndex } from 'bson';
import { fail } from '../errors.ts';
import type { Doc } from '../values/types.ts';
import { readDocument } from './bson-read.ts';
import { crc32c } from './crc32c.ts';

export const MESSAGE_BYTES_MAX = 48_000_000;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const CHECKSUM = 1;
const MORE_TO_COME = 2;
const EXHAUST_ALLOWED = 1 << 16;
const REQUIRED_FLAGS = 0xffff;

export type Request = {
  id: number;
  legacy: boolean;
  body: Doc;
  answered: boolean; // false: the client says `moreToCome` and waits for nothing
  exhaust: boolean;
  checksum: boolean;
  bytes: number;
};

export function parseMessage(bytes: Buffer): Request {
  const id = bytes.readInt32LE(4);
  const code = bytes.readInt32LE(12);
  if (code === OP_QUERY) return parseQuery(bytes, id);
  if (code !== OP_MSG) throw fail('IllegalOperation', `wire operation ${code} is refused by this test server`);
  const flags = bytes.readUInt32LE(16);
  if (flags & REQUIRED_FLAGS & ~(CHECKSUM | MORE_TO_COME)) throw fail('FailedToParse', `OP_MSG flags ${flags} are not understood`);
  const checksum = (flags & CHECKSUM) !== 0;
  const end = bytes.length - (checksum ? 4 : 0);
  if (checksum && crc32c(bytes.subarray(0, end)) !== bytes.readUInt32LE(end)) throw fail('FailedToParse', 'OP_MSG checksum does not match contents');
  return {
    id, checksum, legacy: false, body: parseSections(bytes, end), bytes: bytes.length,
    answered: (flags & MORE_TO_COME) === 0, exhaust: (flags & EXHAUST_ALLOWED) !== 0,
  };
}

function parseSections(bytes: Buffer, end: number): Doc {
  let body: Doc | null = null;
  const sequences: [string, Doc[]][] = [];
  for (let at = 20; at < end;) {
    const kind = bytes[at++];
    const size = bytes.readInt32LE(at);
    if (kind === 0) body = readDocument(bytes, at);
    else if (kind === 1) sequences.push(parseSequence(bytes, at, size));
    else throw fail('FailedToParse', `OP_MSG section of kind ${kind}`);
    at += size;
  }
  if (!body) throw fail('FailedToParse', 'OP_MSG without a body');
  for (const [name, documents] of sequences) body[name] = documents;
  return body;
}

function parseSequence(bytes: Buffer, from: number, size: number): [string, Doc[]] {
  const nameEnd = bytes.indexOf(0, from + 4);
  const documents: Doc[] = [];
  for (let at = nameEnd + 1; at < from + size; at += bytes.readInt32LE(at)) documents.push(readDocument(bytes, at));
  return [bytes.toString('utf8', from + 4, nameEnd), documents];
}

function parseQuery(bytes: Buffer, id: number): Request {
  const nameEnd = bytes.indexOf(0, 20);
  const body = readDocument(bytes, nameEnd + 9);
  const query = (body['$query'] ?? body) as Doc;
  query['$db'] = bytes.toString('utf8', 20, nameEnd).split('.')[0];
  return { id, body: query, legacy: true, answered: true, exhaust: false, checksum: false, bytes: bytes.length };
}

let scratch = Buffer.allocUnsafe(1 << 20);
let lastId = 0;

// Serialises into one scratch buffer and copies the message out. An integral double outside int32 stays a double.
export function encodeReply(request: Request, body: Doc, moreToCome = false): Buffer {
  const head = request.legacy ? 36 : 21;
  const length = writeBody(body, head) + (request.checksum ? 4 : 0);
  scratch.writeInt32LE(length, 0);
  scratch.writeInt32LE(++lastId & 0x7fffffff, 4);
  scratch.writeInt32LE(request.id, 8);
  scratch.writeInt32LE(request.legacy ? OP_REPLY : OP_MSG, 12);
  if (request.legacy) writeLegacyHead();
  else {
    scratch.writeUInt32LE((request.checksum ? CHECKSUM : 0) | (moreToCome ? MORE_TO_COME : 0), 16);
    scratch[20] = 0;
  }
  if (request.checksum) scratch.writeUInt32LE(crc32c(scratch.subarray(0, length - 4)), length - 4);
  return Buffer.from(scratch.subarray(0, length));
}

function writeLegacyHead(): void {
  scratch.writeInt32LE(8, 16); // AwaitCapable
  scratch.writeBigInt64LE(0n, 20);
  scratch.writeInt32LE(0, 28);
  scratch.writeInt32LE(1, 32);
}

function writeBody(body: Doc, head: number): number {
  try {
    return serializeWithBufferAndIndex(body, scratch, { index: head }) + 1;
  } catch (error) {
    if (error instanceof BSONVersionError) return writeBody(asMaps(body) as Doc, head);
    if (!(error instanceof RangeError)) throw error;
    scratch = Buffer.allocUnsafe(calculateObjectSize(body) * 2 + 1024);
    return serializeWithBufferAndIndex(body, scratch, { index: head }) + 1;
  }
}

const versionMark = Symbol.for('@@mdb.bson.version');

// A document may have a member `_bsontype`, for which the library takes it for a value of its own; a Map it writes as it is.
function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array || versionMark in value) return value;
  const entries = Object.entries(value).map(([name, each]) => [name, asMaps(each)] as const);
  return '_bsontype' in value ? new Map(entries) : Object.fromEntries(entries);
}
