// SCRAM-SHA-256 (RFC 5802, RFC 7677): the server's side of one exchange. Passwords are known in clear, as test servers'
// are; keys are derived once per user.
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import type { Role } from '../rights.ts';

const ITERATIONS = 4096; // the RFC's least; a mongod takes 15 000

export type Credential = { user: string; password: string; salt: Buffer; roles?: readonly Role[]; stored?: { storedKey: Buffer; serverKey: Buffer } };

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

function keysOf(credential: Credential): { storedKey: Buffer; serverKey: Buffer } {
  if (!credential.stored) {
    const salted = pbkdf2Sync(credential.password.normalize('NFKC'), credential.salt, ITERATIONS, 32, 'sha256');
    credential.stored = { storedKey: createHash('sha256').update(hmac(salted, 'Client Key')).digest(), serverKey: hmac(salted, 'Server Key') };
  }
  return credential.stored;
}

export class ScramExchange {
  user: string | null = null;
  private readonly users: readonly Credential[];
  private readonly nonceBytes: () => Buffer;
  private credential: Credential | null = null;
  private clientFirst = '';
  private serverFirst = '';
  private nonce = '';

  constructor(users: readonly Credential[], nonceBytes: () => Buffer) {
    this.users = users;
    this.nonceBytes = nonceBytes;
  }

  // client-first → server-first; null refuses.
  first(message: string): string | null {
    const parts = /^n,,(n=([^,]*),r=([^,]+))$/.exec(message);
    if (!parts) return null;
    const name = (parts[2] as string).replaceAll('=2C', ',').replaceAll('=3D', '=');
    this.credential = this.users.find(({ user }) => user === name) ?? null;
    if (!this.credential) return null;
    this.user = name;
    this.clientFirst = parts[1] as string;
    this.nonce = (parts[3] as string) + this.nonceBytes().toString('base64');
    this.serverFirst = `r=${this.nonce},s=${this.credential.salt.toString('base64')},i=${ITERATIONS}`;
    return this.serverFirst;
  }

  // client-final → server-final; null refuses.
  final(message: string): string | null {
    const parts = /^(c=biws,r=([^,]+)),p=(.+)$/.exec(message);
    if (!parts || !this.credential || parts[2] !== this.nonce) return null;
    const { storedKey, serverKey } = keysOf(this.credential);
    const signed = `${this.clientFirst},${this.serverFirst},${parts[1]}`;
    const signature = hmac(storedKey, signed);
    const proof = Buffer.from(parts[3] as string, 'base64');
    if (proof.length !== signature.length) return null;
    const clientKey = Buffer.from(proof.map((byte, i) => byte ^ (signature[i] as number)));
    if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey)) return null;
    return `v=${hmac(serverKey, signed).toString('base64')}`;
  }
}
