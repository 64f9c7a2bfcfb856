/** The edge's hashes outside workerd. */
import { readFileSync } from 'node:fs';
import { Hasher } from '../../edge/origin-client/hasher.ts';

export const macFile = new URL('../../wasm/dist/mac.wasm', import.meta.url);

export function toHasher(): Hasher {
  return new Hasher(new WebAssembly.Module(readFileSync(macFile)));
}
