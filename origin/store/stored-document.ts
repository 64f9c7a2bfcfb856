/**
 * A document as an engine read it: its wire text (`{"id":…,…}`) and, only for those who need to look
 * inside, its value. Most reads never parse.
 */
import { type IsNumber, withNumbers } from '../../shared/contract/stored-numbers.ts';
import type { JsonObject } from '../../shared/wire/values.ts';

export class StoredDocument {
  readonly id: string;
  /** The text in pieces, as the engine has it: whoever writes it out needs no copy that joins them. */
  readonly pieces: readonly string[];
  #value: JsonObject | undefined;
  readonly #isNumber: IsNumber | undefined;
  /** What is served of it, by the declaration that said so: a document may be kept for many readers. */
  served: { readonly by: object; readonly document: StoredDocument } | undefined;

  /** `isNumber`: where the engine tells texts from numbers that are shown as text. */
  constructor(id: string, text: string | readonly string[], value?: JsonObject, isNumber?: IsNumber) {
    this.id = id;
    this.pieces = typeof text === 'string' ? [text] : text;
    this.#value = value;
    this.#isNumber = isNumber;
  }

  /** JSON of the whole document with `id` first: the bytes of an unprojected answer. */
  get text(): string {
    return this.pieces.join('');
  }

  get value(): JsonObject {
    this.#value ??= withNumbers(JSON.parse(this.text) as JsonObject, this.#isNumber);
    return this.#value;
  }
}
