/**
 * The names of an upload's columns, read ahead of everything else: an object may come whole, as JSON text in one column, or in
 * parts, in a column for each of its members. What is no CSV the module says; here it has whatever names it seems to have.
 */

export interface Headed {
  readonly names: ReadonlySet<string>;
  /** All chunks, those of the header among them. */
  readonly chunks: AsyncGenerator<Uint8Array, void>;
}

/** The module refuses longer ones (`wasm/src/csv/limits.rs`). */
const headerBytesMax = 65_536;

export async function readHeader(upload: AsyncIterable<Uint8Array>): Promise<Headed> {
  const iterator = upload[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  const decoder = new TextDecoder();
  let text = '';
  while (!/[^\s\ufeff].*\n/.test(text) && text.length <= headerBytesMax) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    held.push(value);
    text += decoder.decode(value.subarray(0, headerBytesMax), { stream: true });
  }
  return { names: namesIn(text), chunks: all(held, iterator) };
}

function namesIn(text: string): ReadonlySet<string> {
  const [, line = ''] = /^[\s\ufeff]*([^\r\n]*)/.exec(text) ?? [];
  return new Set(line.split(',').map((name) => name.replace(/^"(.*)"$/, '$1')));
}

async function* all(held: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  try {
    yield* held;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
