/**
 * From bytes to StoredDocuments: the Rust module writes the text, five to ten times as fast as objects and
 * `JSON.stringify`. What it does not take (repeated names, references, more than 4 MiB) is read as objects. Every read but
 * of change streams comes through here, inside transactions too, so that the ETag of a document is the same wherever it is
 * computed.
 */
import { toIdJson } from '../../../../shared/contract/ids.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { BsonTexts } from '../../../../shared/transforms/bson.ts';
import { TransformInstance } from '../../../../shared/transforms/instance.ts';
import { valueEnd } from '../../../../shared/wire/json-text.ts';
import { storeLimits } from '../../limits.ts';
import { StoredDocument } from '../../stored-document.ts';
import { toDocument } from './documents.ts';
import type { RawDocument } from './raw-documents.ts';
import { idFormOf } from './stored-ids.ts';
import { ranksInBytes } from './stored-ranks.ts';

type Warn = (message: string, facts: Readonly<Record<string, unknown>>) => void;

/** One of each module for all stores of a process: no call into it waits, and a new memory can cost a full collection. */
const opened = new WeakMap<WebAssembly.Module, BsonTexts>();

export class RawTexts {
  readonly #module: WebAssembly.Module;
  readonly #onWarning: Warn;

  constructor(module: WebAssembly.Module, onWarning: Warn) {
    this.#module = module;
    this.#onWarning = onWarning;
  }

  one(document: RawDocument): StoredDocument {
    const [text] = this.#convert([document]);
    return toStoredDocument(document, text);
  }

  /** Converts in parts, between which other requests have their turn. */
  async all(documents: readonly RawDocument[]): Promise<readonly StoredDocument[]> {
    const done: StoredDocument[] = [];
    for (const part of toParts(documents)) {
      if (done.length > 0) await Bun.sleep(0);
      const texts = this.#convert(part);
      part.forEach((document, index) => done.push(toStoredDocument(document, texts[index])));
    }
    return done;
  }

  /** A module that fails is replaced; what it was asked for is read without it. */
  #convert(documents: readonly RawDocument[]): readonly (string | undefined)[] {
    // The module knows of no other names than those that are stored.
    if (documents[0]?.resource.names !== undefined) return [];
    try {
      const texts = opened.get(this.#module) ?? new BsonTexts(new TransformInstance(this.#module));
      opened.set(this.#module, texts);
      return texts.convert(documents.map(({ bytes }) => bytes));
    } catch (cause) {
      opened.delete(this.#module);
      this.#onWarning('documents were read without the module, which failed', { cause: String(cause), documents: documents.length });
      return [];
    }
  }
}

function toStoredDocument(document: RawDocument, text: string | undefined): StoredDocument {
  const { resource, id } = document;
  if (text === undefined) return toDocument(resource, id, document.stored);
  const pieces = hasOwnIdJson(resource) ? text : [`${idStart}${toIdJson(resource, id)}`, text.slice(valueEnd(text, idStart.length))];
  return new StoredDocument(id, pieces, undefined, ranksInBytes(document));
}

const idStart = '{"id":';

/** Whether the module writes ids as they are named: numbers past 2^53 and UUIDs in bytes have another text. */
function hasOwnIdJson(resource: Resource): boolean {
  const form = idFormOf(resource).name;
  return form === 'string' || form === 'objectId';
}

function toParts(documents: readonly RawDocument[]): readonly (readonly RawDocument[])[] {
  const parts: RawDocument[][] = [];
  let left = 0;
  for (const document of documents) {
    left -= document.bytes.byteLength;
    if (left >= 0) {
      parts.at(-1)?.push(document);
      continue;
    }
    parts.push([document]);
    left = storeLimits.bsonBytesAtOnceMax - document.bytes.byteLength;
  }
  return parts;
}
