/**
 * A document as an engine read it: its wire text (`{"id":…,…}`) and, only for those who need to look
 * inside, its value. Most reads never parse.
 */
import { type RankAt, withRanks } from '../../shared/contract/stored-ranks.ts';
import type { JsonObject } from '../../shared/wire/values.ts';

export class StoredDocument {
  readonly id: string;
  /** The text in pieces, as the engine has it: whoever writes it out needs no copy that joins them. */
  readonly pieces: readonly string[];
  #value: JsonObject | undefined;
  readonly #rankAt: RankAt | undefined;
  /** What is served of it, by the declaration that said so: a document may be kept for many readers. */
  served: { readonly by: object; readonly document: StoredDocument } | undefined;

  /** `rankAt`: where the engine tells what is stored from what it is shown as. */
  constructor(id: string, text: string | readonly string[], value?: JsonObject, rankAt?: RankAt) {
    this.id = id;
    this.pieces = typeof text === 'string' ? [text] : text;
    this.#value = value;
    this.#rankAt = rankAt;
  }

  /** JSON of the whole document with `id` first: the bytes of an unprojected answer. */
  get text(): string {
    return this.pieces.join('');
  }

  get value(): JsonObject {
    this.#value ??= withRanks(JSON.parse(this.text) as JsonObject, this.#rankAt);
    return this.#value;
  }
}
