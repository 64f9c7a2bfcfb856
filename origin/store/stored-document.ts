/**
 * A document as an engine read it: its wire text (`{"id":…,…}`) and, only for those who need to look
 * inside, its value. Most reads never parse.
 */
import type { JsonObject } from '../../shared/contract/values.ts';

export class StoredDocument {
  readonly id: string;
  /** JSON of the whole document with `id` first: the bytes of an unprojected answer. */
  readonly text: string;
  #value: JsonObject | undefined;

  constructor(id: string, text: string, value?: JsonObject) {
    this.id = id;
    this.text = text;
    this.#value = value;
  }

  get value(): JsonObject {
    this.#value ??= JSON.parse(this.text) as JsonObject;
    return this.#value;
  }
}
