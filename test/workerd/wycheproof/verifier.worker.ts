/** Verifies signatures as the platform does for tokens: in the test beside it, with each vector's own key. */
import type { SignatureGroup } from './vectors.ts';

const imports = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  EdDSA: { name: 'Ed25519' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const;
const verifies = { ES256: { name: 'ECDSA', hash: 'SHA-256' }, EdDSA: imports.EdDSA, RS256: imports.RS256 } as const;

export default {
  /** The ids of the group's vectors whose signature is taken. */
  async fetch(request: Request): Promise<Response> {
    const { algorithm, key, tests } = (await request.json()) as SignatureGroup;
    const imported = await crypto.subtle.importKey('spki', toBytes(key), imports[algorithm], false, ['verify']);
    const taken: number[] = [];
    for (const { id, message, signature } of tests) {
      // A signature of a wrong length is an error here, and one that does not verify to `jose`.
      const verified = crypto.subtle.verify(verifies[algorithm], imported, toBytes(signature), toBytes(message)).catch(() => false);
      if (await verified) taken.push(id);
    }
    return Response.json(taken);
  },
};

function toBytes(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array((hex.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)));
}
