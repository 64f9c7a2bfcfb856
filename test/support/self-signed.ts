/** A certificate for `localhost` that signs itself (RFC 5280), for tests of TLS: nothing on a machine need make one. */
import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';

export interface SelfSigned {
  /** As PEM. */
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
}

/** DER (X.690 §8.1.3): a tag, the length, and what is inside. */
function der(tag: number, ...inside: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(inside);
  const bytes = [content.length >> 8, content.length & 0xff].filter((byte, index) => byte > 0 || index > 0);
  const length = content.length < 0x80 ? bytes : [0x80 + bytes.length, ...bytes];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const tags = { integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31, time: 0x18 };
const sequence = (...inside: readonly Uint8Array[]) => der(tags.sequence, ...inside);
const oid = (hex: string) => der(tags.oid, Buffer.from(hex, 'hex'));
const time = (at: Date) => der(tags.time, Buffer.from(at.toISOString().replace(/[-:T]|\.\d+/g, '')));
/** The name of a host as the only subject alternative name. */
const hostName = (name: string) => sequence(oid('551d11'), der(tags.octets, sequence(der(0x82, Buffer.from(name)))));

const dayMs = 86_400_000;

export function makeSelfSigned(): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
  const name = sequence(der(tags.set, sequence(oid('550403'), der(tags.utf8, Buffer.from('localhost')))));
  const toBeSigned = sequence(
    der(0xa0, der(tags.integer, Buffer.from([2]))), der(tags.integer, Buffer.from([1]), randomBytes(8)), ecdsaWithSha256, name,
    sequence(time(new Date(Date.now() - dayMs)), time(new Date(Date.now() + dayMs))), name,
    publicKey.export({ type: 'spki', format: 'der' }), der(0xa3, sequence(hostName('localhost'))),
  );
  const signature = der(tags.bits, Buffer.from([0]), sign('sha256', toBeSigned, privateKey));
  const certificate = new X509Certificate(sequence(toBeSigned, ecdsaWithSha256, signature));
  return {
    cert: certificate.toString(), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: certificate.fingerprint256,
  };
}
