/**
 * An origin that does what the test says: it believes signed requests alone, signs its answers by the
 * profile, counts what it was asked, and reports changes like the purge sink does.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Report, ReportAnswer } from '../../shared/contract/report.ts';
import { reportPath } from '../../shared/contract/report.ts';
import { type HopKey, mustKeyRing } from '../../shared/hop/keys.ts';
import { formatSignature, formatSignatureInput, type HopTag, parseSignature, parseSignatureInput, readHeader, type SignatureParameters, type SignedMessage, toAnswerMessage, toRequestMessage, toSignatureBase } from '../../shared/hop/profile.ts';

export const testKeys = `k2:${'C'.repeat(42)}A,k1:${'B'.repeat(42)}A`;

export interface HopSeen {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly nonce: string;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly body?: string | ReadableStream<Uint8Array> | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** The `tombolo-read` header; an answer without one is not signed. */
  readonly read?: string;
  /** Spoils the signature: another nonce, another key. */
  readonly nonce?: string;
  readonly key?: HopKey;
  /** The socket is closed without an answer. */
  readonly hangUp?: boolean;
}

export type Script = (seen: HopSeen) => ScriptedAnswer | Promise<ScriptedAnswer>;

export class ScriptedOrigin {
  readonly keys = mustKeyRing(testKeys);
  readonly seen: HopSeen[] = [];
  readonly refused: string[] = [];
  script: Script = () => ({ status: 404 });
  /** What `/.well-known/jwks.json` answers. */
  jwks: () => Response = () => new Response(null, { status: 503 });
  jwksAsked = 0;
  #server = this.#listen(0);

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  /** Sockets refuse connections until `start`. */
  async stop(): Promise<void> {
    await this.#server.stop(true);
  }

  start(port: number): void {
    this.#server = this.#listen(port);
  }

  #listen(port: number) {
    return Bun.serve({ port, hostname: '127.0.0.1', maxRequestBodySize: 1 << 30, idleTimeout: 60, fetch: (request) => this.#answer(request) });
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/.well-known/jwks.json') {
      this.jwksAsked++;
      return this.jwks();
    }
    const parameters = this.#verify(request, url);
    if (typeof parameters === 'string') {
      this.refused.push(parameters);
      return Response.json({ code: parameters }, { status: 401 });
    }
    const seen = { method: request.method, path: url.pathname, query: url.search, headers: request.headers, body: new Uint8Array(await request.arrayBuffer()), nonce: parameters.nonce };
    this.seen.push(seen);
    return this.#toResponse(await this.script(seen), parameters.nonce);
  }

  #verify(request: Request, url: URL): SignatureParameters | string {
    const parameters = parseSignatureInput(request.headers.get('signature-input') ?? '', 'tombolo-hop');
    const mac = parseSignature(request.headers.get('signature') ?? '');
    const key = this.keys.find((known) => known.id === parameters?.keyId);
    if (parameters === undefined || mac === undefined || key === undefined) return 'hop_unsigned';
    const { base } = toSignatureBase(toRequestMessage(request.method, url.pathname, url.search, (name) => request.headers.get(name)), parameters);
    return macOf(key, base).toString('base64') === mac ? parameters : 'hop_invalid';
  }

  #toResponse(scripted: ScriptedAnswer, nonce: string): Response {
    const { status = 200, body = null, headers = {}, read } = scripted;
    if (scripted.hangUp === true) throw new Error('the test hangs up');
    const given: Record<string, string> = { ...headers };
    if (read !== undefined) {
      given[readHeader] = read;
      Object.assign(given, signatureOf(toAnswerMessage(status, (name) => given[name] ?? null), 'tombolo-answer', scripted.key ?? this.keys[0], scripted.nonce ?? nonce));
    }
    return new Response(body, { status, headers: given });
  }

  /** A signed report, as the purge sink sends it. */
  async report(edgeUrl: string, report: Report): Promise<ReportAnswer> {
    const response = await fetch(this.toReport(edgeUrl, report));
    if (response.status !== 200) throw new Error(`the report was answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as ReportAnswer;
  }

  toReport(edgeUrl: string, report: unknown, given: { readonly key?: HopKey; readonly created?: number; readonly nonce?: string; readonly tag?: HopTag; readonly digestOf?: string } = {}): Request {
    const body = JSON.stringify(report);
    const headers: Record<string, string> = { 'content-type': 'application/json', 'content-digest': digestOf(given.digestOf ?? body) };
    const message = toRequestMessage('POST', reportPath, '', (name) => headers[name] ?? null);
    Object.assign(headers, signatureOf(message, given.tag ?? 'tombolo-report', given.key ?? this.keys[0], given.nonce ?? randomNonce(), given.created));
    return new Request(`${edgeUrl}${reportPath}`, { method: 'POST', headers, body });
  }
}

export function signatureOf(message: SignedMessage, tag: HopTag, key: HopKey, nonce: string, created = Math.floor(Date.now() / 1_000)): Record<string, string> {
  const signed = toSignatureBase(message, { created, nonce, keyId: key.id, tag });
  return { 'signature-input': formatSignatureInput(signed.parameters), signature: formatSignature(macOf(key, signed.base).toString('base64')) };
}

export function macOf(key: HopKey, text: string): Buffer {
  return createHmac('sha256', key.secret).update(text).digest();
}

export function digestOf(body: string | Uint8Array): string {
  return `sha-256=:${new Bun.CryptoHasher('sha256').update(body).digest('base64')}:`;
}

export function randomNonce(): string {
  return randomBytes(16).toString('base64url');
}
