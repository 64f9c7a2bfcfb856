/**
 * A document as an engine read it: its wire text (`{"id":…,…}`) and, only for those who need to look
 * inside, its value. Most reads never parse.
 */
import type { JsonObject } from '../../shared/wire/values.ts';

export class StoredDocument {
  readonly id: string;
  /** The text in pieces, as the engine has it: whoever writes it out needs no copy that joins them. */
  readonly pieces: readonly string[];
  #value: JsonObject | undefined;

  constructor(id: string, text: string | readonly string[], value?: JsonObject) {
    this.id = id;
    this.pieces = typeof text === 'string' ? [text] : text;
    this.#value = value;
  }

  /** JSON of the whole document with `id` first: the bytes of an unprojected answer. */
  get text(): string {
    return this.pieces.join('');
  }

  get value(): JsonObject {
    this.#value ??= JSON.parse(this.text) as JsonObject;
    return this.#value;
  }
}
