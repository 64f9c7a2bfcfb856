/**
 * Project Wycheproof's vectors: the MACs of the hop by the edge's own module, and in workerd the signatures of tokens, by every
 * algorithm that the edge takes.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Miniflare } from 'miniflare';
import { isEqual } from '../../../edge/origin-client/macs.ts';
import { macFile } from '../../support/hasher.ts';
import type { SignatureGroup, Vectors } from './vectors.ts';

const { macs, signatures } = JSON.parse(readFileSync(join(import.meta.dir, 'vectors.json'), 'utf8')) as Vectors;
/** What `add_key` answers where there is no room for one more. */
const misuse = 0;
const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

describe('HMAC-SHA256', () => {
  const module = new WebAssembly.Module(readFileSync(macFile));
  for (const { tagBits, tests } of macs) {
    test(`takes the right tags of ${tagBits} bits and no other, with keys of ${(tests[0]?.key.length ?? 0) * 4} bits`, () => {
      const macOf = toMacs(module);
      const taken = tests.filter(({ key, message, tag }) => {
        const mac = macOf({ key: fromHex(key), message: fromHex(message) });
        return isEqual(mac.subarray(0, tagBits / 8), fromHex(tag));
      });
      expect(taken.map(({ id }) => id)).toEqual(tests.filter(({ result }) => result === 'valid').map(({ id }) => id));
      expect(taken.length).toBeGreaterThan(0);
    });
  }
});

/**
 * A text of the hop is UTF-8; a vector is any bytes, so the module is called as `Hasher` calls it. An instance takes some keys and is
 * used up then: past a number of memories the engine looks for what is free before it gives another.
 */
function toMacs(module: WebAssembly.Module): (vector: Readonly<Record<'key' | 'message', Uint8Array>>) => Uint8Array {
  const begin = () => new WebAssembly.Instance(module, {}).exports as unknown as Exports;
  let exports = begin();
  const withKey = (key: Uint8Array): number => {
    new Uint8Array(exports.memory.buffer).set(key, exports.buffer());
    return exports.add_key(key.length);
  };
  return ({ key, message }) => {
    let number = withKey(key);
    if (number === misuse) {
      exports = begin();
      number = withKey(key);
    }
    const { memory, buffer, begin_mac, push, finish } = exports;
    const at = buffer();
    const bytes = new Uint8Array(memory.buffer);
    begin_mac(number);
    bytes.set(message, at);
    push(message.length);
    finish();
    return bytes.slice(at, at + 32);
  };
}

interface Exports extends Readonly<Record<'buffer' | 'add_key' | 'begin_mac' | 'push' | 'finish', (word?: number) => number>> {
  readonly memory: WebAssembly.Memory;
}

describe('in workerd, the signatures of tokens', () => {
  let workerd: Miniflare;
  beforeAll(async () => {
    const built = await Bun.build({ entrypoints: [join(import.meta.dir, 'verifier.worker.ts')], format: 'esm' });
    const script = (await built.outputs[0]?.text()) ?? '';
    workerd = new Miniflare({ modules: true, script, compatibilityDate: '2026-04-01' });
    await workerd.ready;
  });
  afterAll(() => workerd.dispose());

  for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
    test(`${algorithm}: the valid ones are taken, and no other`, async () => {
      const groups = signatures.filter((group) => group.algorithm === algorithm);
      expect(groups.length).toBeGreaterThan(0);
      for (const group of groups) expect(await wronglyDecided(workerd, group)).toEqual([]);
    });
  }
});

async function wronglyDecided(workerd: Miniflare, group: SignatureGroup): Promise<readonly number[]> {
  const answer = await workerd.dispatchFetch('http://verifier/', { method: 'POST', body: JSON.stringify(group) });
  const taken = new Set((await answer.json()) as readonly number[]);
  return group.tests.flatMap(({ id, result }) => (result === 'acceptable' || taken.has(id) === (result === 'valid') ? [] : [id]));
}
