/**
 * BSON documents → the JSON texts of Tombolo's wire, by the Rust module: `wasm/src/bson.rs` says how, and which
 * it leaves to others. Synchronous: whoever has many bytes gives them in parts.
 */
import { status, type TransformInstance } from './instance.ts';
import { pieceBytesMax, TransformStreamer } from './stream.ts';
import { joinedBytes } from '../wire/bytes.ts';

/** Why a document was rejected, in the order of the module's numbers (`wasm/src/bson/reasons.rs`). Exported for tests that meet each. */
export const bsonReasons = [
  'document_too_long',
  'line_too_long',
  'too_deep',
  'corrupt',
  'utf8_invalid',
  'id_not_first',
  'name_repeated',
  'name_reserved',
  'unserved',
  'fields_too_many',
] as const;
export type BsonReason = (typeof bsonReasons)[number];

export interface BsonRejected {
  /** Counted from 1, from the first document that the context was given, and again from 0 after 2^32. */
  readonly document: number;
  readonly reason: BsonReason;
}

const none = new Uint8Array(0);
const rejectedWords = 2;
const frameWords = 8;

/** Context in an instance for documents one behind the other; no plan. Exported for streams of NDJSON. */
export function openBson(instance: TransformInstance): TransformStreamer {
  return new TransformStreamer(instance, 'bson_open', none);
}

/** The records of an output. Exported for streams of NDJSON. */
export function toBsonRejected(bytes: Uint8Array<ArrayBuffer>): BsonRejected[] {
  const words = new Uint32Array(bytes.buffer);
  return Array.from({ length: words.length / rejectedWords }, (_, index) => {
    const [document = 0, reason = 0] = words.subarray(index * rejectedWords);
    return { document, reason: mustReason(reason) };
  });
}

function mustReason(number: number): BsonReason {
  const reason = bsonReasons[number];
  if (reason === undefined) throw new Error(`the module rejects a document for reason ${number}, which has no name`);
  return reason;
}

/** One context, kept: a few documents at a time, each a text of its own. After a throw it is of no use. */
export class BsonTexts {
  readonly #instance: TransformInstance;
  readonly #handle: number;
  #given = 0;

  constructor(instance: TransformInstance) {
    this.#instance = instance;
    this.#handle = instance.call('bson_open');
    if (instance.call('configure', this.#handle, 0) !== status.ready) throw new Error('the instance has no free context for BSON');
  }

  /** `undefined` where the module rejects the document. Not by way of a stream, which costs three times a small document's own work. */
  convert(documents: readonly Uint8Array[]): (string | undefined)[] {
    documents.forEach(mustBeWhole);
    const first = this.#given + 1;
    this.#given = (this.#given + documents.length) >>> 0;
    const lines: string[] = [];
    const rejected: number[] = [];
    const bytes = joinedBytes(documents);
    for (let from = 0; from < bytes.byteLength; from += pieceBytesMax) {
      for (let came = this.#push(bytes.subarray(from, from + pieceBytesMax)); ; came = this.#instance.call('push', this.#handle, 0)) {
        this.#gather(lines, rejected);
        if (came === status.ready) break;
        if (came !== status.more) throw new Error(`the module answers documents with status ${came}`);
      }
    }
    if (lines.length + rejected.length !== documents.length) {
      throw new Error(`${documents.length} documents gave ${lines.length} lines and ${rejected.length} rejections`);
    }
    if (rejected.length === 0) return lines;
    const left = new Set(rejected.map((document) => (document - first) >>> 0));
    let next = 0;
    return documents.map((_, index) => (left.has(index) ? undefined : lines[next++]));
  }

  #push(bytes: Uint8Array): number {
    const address = this.#instance.call('input', this.#handle, bytes.byteLength);
    if (address === 0) throw new Error(`the module has no room for ${bytes.byteLength} bytes`);
    this.#instance.write(address, bytes);
    return this.#instance.call('push', this.#handle, bytes.byteLength);
  }

  /** Reads the frame of `wasm/src/lib.rs`: address and length of bytes, origins, rejected, report. */
  #gather(lines: string[], rejected: number[]): void {
    const [at = 0, length = 0, , , rejectedAt = 0, rejectedLength = 0] = this.#instance.words(
      this.#instance.call('output', this.#handle),
      frameWords,
    );
    if (rejectedLength > 0) {
      rejected.push(...toBsonRejected(this.#instance.read(rejectedAt, rejectedLength)).map(({ document }) => document));
    }
    if (length === 0) return;
    const text = this.#instance.text(at, length);
    for (let from = 0; from < text.length; ) {
      const end = text.indexOf('\n', from);
      lines.push(text.slice(from, end));
      from = end + 1;
    }
  }
}

/** Throws unless the document has the length that it begins with: a wrong one would misplace every document behind it. */
function mustBeWhole(document: Uint8Array): void {
  const [a = 0, b = 0, c = 0, d = 0] = [document[0], document[1], document[2], document[3]];
  const length = a + b * 0x100 + c * 0x1_0000 + d * 0x100_0000;
  if (length !== document.byteLength) throw new Error(`a document of ${document.byteLength} bytes says that it has ${length}`);
}
