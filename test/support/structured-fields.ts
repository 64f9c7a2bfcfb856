/** Lists of Items by RFC 9651 §4.2, as strict as the grammar: strings, tokens and integers, with parameters. */
export interface Item {
  readonly value: string | number;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

/** Throws at the first character that the grammar does not allow. */
export function parseList(field: string): readonly Item[] {
  const reader = new Reader(field.replace(/^ +| +$/g, ''));
  const items: Item[] = [];
  if (reader.atEnd) return items;
  for (;;) {
    items.push({ value: reader.bareItem(), parameters: reader.parameters() });
    reader.skip(/[ \t]*/y);
    if (reader.atEnd) return items;
    reader.must(/,/y);
    reader.skip(/[ \t]*/y);
    if (reader.atEnd) throw new Error(`a comma ends ${field}`);
  }
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at === this.#text.length;
  }

  skip(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  must(pattern: RegExp): string {
    const found = this.skip(pattern);
    if (found === undefined || found === '') throw new Error(`${this.#text}: not ${pattern.source} at ${this.#at}`);
    return found;
  }

  bareItem(): string | number {
    const string = this.skip(/"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y);
    if (string !== undefined) return string.slice(1, -1).replace(/\\(.)/g, '$1');
    const integer = this.skip(/-?\d{1,15}(?![\d.])/y);
    return integer === undefined ? this.must(/[A-Za-z*][\w!#$%&'*+.^`|~:/-]*/y) : Number(integer);
  }

  parameters(): Item['parameters'] {
    const parameters: Record<string, string | number | boolean> = {};
    while (this.skip(/; */y) !== undefined) {
      const key = this.must(/[a-z*][a-z0-9_.*-]*/y);
      parameters[key] = this.skip(/=/y) === undefined ? true : this.bareItem();
    }
    return parameters;
  }
}
