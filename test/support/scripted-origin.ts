/**
 * An origin that does what the test says: it believes signed requests alone, signs its answers by the
 * profile, counts what it was asked, and reports changes like the purge sink does.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { Report, ReportAnswer } from '../../shared/hop/purge-report.ts';
import { reportPath } from '../../shared/hop/purge-report.ts';
import { type HopKey, mustKeyRing } from '../../shared/hop/keys.ts';
import {
  formatSignature, formatSignatureInput, type HopTag, parseSignature, parseSignatureInput, readHeader, type SignatureParameters,
  type SignedMessage, toAnswerMessage, toReceivedBase, toRequestMessage, toSignatureBase,
} from '../../shared/hop/profile.ts';

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
  /** The `tombolo-read` header of a state. */
  readonly read?: string;
  /** Whether it is left unsigned, like the answer of a proxy before an origin. */
  readonly unsigned?: true;
  /** Spoils the signature: another nonce, another key. */
  readonly nonce?: string;
  readonly key?: HopKey;
}

export type Script = (seen: HopSeen) => ScriptedAnswer | Promise<ScriptedAnswer>;

export class ScriptedOrigin {
  keys: readonly [HopKey, ...HopKey[]] = mustKeyRing(testKeys);
  readonly seen: HopSeen[] = [];
  readonly refused: string[] = [];
  script: Script = () => ({ status: 404 });
  /** What `/.well-known/jwks.json` answers. */
  jwks: () => Response = () => new Response(null, { status: 503 });
  jwksAsked = 0;
  /** What `/ready` answers, unsigned; unset: 401, as anything unsigned. */
  ready: (() => Response) | undefined;
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
    return Bun.serve({
      port,
      hostname: '127.0.0.1',
      maxRequestBodySize: 1 << 30,
      idleTimeout: 60,
      fetch: (request) => this.#answer(request),
    });
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === '/.well-known/jwks.json') {
      this.jwksAsked++;
      return this.jwks();
    }
    if (url.pathname === '/ready' && this.ready !== undefined) return this.ready();
    const parameters = this.#verify(request, url);
    if (typeof parameters === 'string') {
      this.refused.push(parameters);
      const brought = parseSignatureInput(request.headers.get('signature-input') ?? '', 'tombolo-hop')?.parameters;
      const headers = { 'content-type': 'application/problem+json', 'tombolo-hop': parameters };
      return this.#toResponse(
        { status: 401, body: JSON.stringify({ code: parameters }), headers, ...(brought === undefined ? { unsigned: true } : {}) },
        brought ?? { nonce: '', created: 0 },
      );
    }
    const seen = {
      method: request.method,
      path: url.pathname,
      query: url.search,
      headers: request.headers,
      body: new Uint8Array(await request.arrayBuffer()),
      nonce: parameters.nonce,
    };
    this.seen.push(seen);
    return this.#toResponse(await this.script(seen), parameters);
  }

  #verify(request: Request, url: URL): SignatureParameters | string {
    const input = parseSignatureInput(request.headers.get('signature-input') ?? '', 'tombolo-hop');
    const mac = parseSignature(request.headers.get('signature') ?? '');
    const key = this.keys.find((known) => known.id === input?.parameters.keyId);
    if (input === undefined || mac === undefined) return 'hop_unsigned';
    if (key === undefined) return 'hop_key_unknown';
    const base = toReceivedBase(toRequestMessage(request.method, url.pathname, url.search, (name) => request.headers.get(name)), input);
    return base !== undefined && macOf(key, base).toString('base64') === mac ? input.parameters : 'hop_invalid';
  }

  /** The answer, signed at the time of the request, which a test may have moved. */
  #toResponse(scripted: ScriptedAnswer, { nonce, created }: Pick<SignatureParameters, 'nonce' | 'created'>): Response {
    const { status = 200, body = null, headers = {}, read } = scripted;
    const given: Record<string, string> = { ...headers };
    if (read !== undefined) given[readHeader] = read;
    if (scripted.unsigned !== true) {
      sign(
        given,
        toAnswerMessage(status, (name) => given[name] ?? null),
        { tag: 'tombolo-answer', key: scripted.key ?? this.keys[0], nonce: scripted.nonce ?? nonce, created },
      );
    }
    return new Response(body, { status, headers: given });
  }

  /** A signed report, as the purge sink sends it. */
  async report(edgeUrl: string, report: Report): Promise<ReportAnswer> {
    const response = await fetch(this.toReport(edgeUrl, report));
    if (response.status !== 200) throw new Error(`the report was answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as ReportAnswer;
  }

  toReport(
    edgeUrl: string,
    report: unknown,
    given: {
      readonly key?: HopKey;
      readonly created?: number;
      readonly nonce?: string;
      readonly tag?: HopTag;
      readonly digestOf?: string;
    } = {},
  ): Request {
    const body = JSON.stringify(report);
    const headers: Record<string, string> = { 'content-type': 'application/json', 'content-digest': digestOf(given.digestOf ?? body) };
    const message = toRequestMessage('POST', reportPath, '', (name) => headers[name] ?? null);
    sign(headers, message, {
      tag: given.tag ?? 'tombolo-report',
      key: given.key ?? this.keys[0],
      nonce: given.nonce ?? randomNonce(),
      ...(given.created === undefined ? {} : { created: given.created }),
    });
    return new Request(`${edgeUrl}${reportPath}`, { method: 'POST', headers, body });
  }
}

interface Signing {
  readonly tag: HopTag;
  readonly key: HopKey;
  readonly nonce: string;
  readonly created?: number;
}

/** Signs a message over every header that is there. */
export function sign(
  headers: Record<string, string>,
  message: SignedMessage,
  { tag, key, nonce, created = Math.floor(Date.now() / 1_000) }: Signing,
): void {
  const signed = toSignatureBase(message, Object.keys(headers), { created, nonce, keyId: key.id, tag });
  headers['signature-input'] = formatSignatureInput(signed.parameters);
  headers['signature'] = formatSignature(macOf(key, signed.base).toString('base64'));
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
