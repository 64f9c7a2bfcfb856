/**
 * People: better-auth behind the hop, loaded when somebody first asks below `/auth`, since loading it takes 200 ms.
 *
 *   asked ─▶ tries left? ─▶ better-auth ─▶ answer, as problem document where it refuses
 */
import type { JSONWebKeySet } from 'jose';
import { peopleLimits } from '../../shared/people/limits.ts';
import { setCookiesHeader } from '../../shared/people/paths.ts';
import type { HopHeader } from '../../shared/hop/profile.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import { instanceOf, type Occurrence, problemMediaType } from '../../shared/wire/problem.ts';
import { isJsonObject } from '../../shared/wire/values.ts';
import type { Reply } from '../reply.ts';
import { late, within } from '../within.ts';
import { asBadInput } from './bad-input.ts';
import { guardedOf } from './guarded.ts';
import { mustBeOffered } from './offered.ts';
import type { OpenedPeople } from './open.ts';

export interface AskedOfPeople extends Occurrence {
  readonly method: string;
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** Absent where nothing came over a network. */
  readonly nonce: string | undefined;
  header(name: HopHeader): string | null;
}

/** What a refusal of better-auth's is counted as. */
export type PeopleReason = `people:${string}`;

export interface PeopleReply extends Reply {
  /** Of a refusal, one of a bounded number. */
  readonly reason: PeopleReason | undefined;
}

/** How often what is over is removed: sessions, tries, and what was to be verified. */
const sweepEveryMs = 600_000;

export class People {
  readonly #open: () => Promise<OpenedPeople>;
  readonly #msMax: number;
  #opened: Promise<OpenedPeople> | undefined;
  #underWay = 0;
  readonly #sweeping = setInterval(() => void this.#sweep(), sweepEveryMs);

  /** `msMax`: how long an answer may take, since an issuer or a database may be silent; then 504, while the work goes on. */
  constructor(open: () => Promise<OpenedPeople>, msMax: number = limits.requestMsMax) {
    this.#open = open;
    this.#msMax = msMax;
    this.#sweeping.unref();
  }

  /** Whoever fails to open it, a database that is away, leaves it to be tried again. */
  opened(): Promise<OpenedPeople> {
    this.#opened ??= this.#open().catch((cause: unknown) => {
      this.#opened = undefined;
      throw cause;
    });
    return this.#opened;
  }

  async keySet(): Promise<JSONWebKeySet> {
    return (await this.opened()).keySet();
  }

  async answer(asked: AskedOfPeople): Promise<PeopleReply> {
    mustBeOffered(asked.method, asked.path);
    if (this.#underWay >= peopleLimits.underWayMax) {
      throw new Fault('overloaded', { detail: 'too many people at once', headers: { 'retry-after': '1' } });
    }
    this.#underWay++;
    try {
      const reply = await within(this.#msMax, this.opened().then((opened) => answer(opened, asked)));
      if (reply === late) throw new Fault('deadline_exceeded');
      return reply;
    } catch (error) {
      // Of an adapter that was asked beside better-auth (`unavailable.ts`).
      throw error instanceof Error && error.cause instanceof Fault ? error.cause : error;
    } finally {
      this.#underWay--;
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeping);
    await (await this.#opened)?.close();
  }

  async #sweep(): Promise<void> {
    await (await this.#opened)?.sweep();
  }
}

async function answer({ attempts, ask, codes }: OpenedPeople, asked: AskedOfPeople): Promise<PeopleReply> {
  if (asked.method === 'POST' && asked.nonce !== undefined) await attempts.mustBeFirst(asked.nonce);
  mustBeJson(asked);
  const guarded = asked.method === 'POST' ? guardedOf(asked.path, toJson(asked.body), asked.header('tombolo-address')) : [];
  await attempts.mustTake(guarded);
  const given = await asBadInput(asked.path, await ask(toRequest(asked)));
  if (given.ok) await attempts.succeed(guarded);
  return toReply(given.ok && asked.path === signUpPath ? signedUp() : given, asked, codes);
}

/** better-auth would take a form, too, in which nobody's account is counted. */
function mustBeJson({ body, header }: AskedOfPeople): void {
  const [type = ''] = (header('content-type') ?? '').split(';');
  if (body === undefined || body.length === 0 || type.trim().toLowerCase() === 'application/json') return;
  throw new Fault('media_type_unsupported', {
    errors: [{ at: 'content-type', in: 'header', detail: 'below /auth is application/json alone' }],
  });
}

const signUpPath = '/auth/sign-up/email';

/** better-auth makes up a person for an address that has an account; what it makes up differs from one that an engine gives back. */
function signedUp(): Response {
  return Response.json({ status: true, message: 'open the link in the mail, and sign in' });
}

function toJson(body: Uint8Array<ArrayBuffer> | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

/** What better-auth sees of a request: what the edge signed, and nothing else. */
function toRequest({ method, path, query, body, header }: AskedOfPeople): Request {
  const headers = new Headers();
  const set = (name: string, value: string | null) => void (value === null || headers.set(name, value));
  set('content-type', header('content-type'));
  set('cookie', header('tombolo-cookie'));
  set('origin', header('tombolo-origin'));
  set('user-agent', header('tombolo-agent'));
  // A network of IPv6 is told as `…::/64`; its first address stands for it.
  set('tombolo-address', header('tombolo-address')?.replace(/\/64$/, '') ?? null);
  return new Request(`http://origin.tombolo.invalid${path}${query}`, { method, headers, body: body ?? null });
}

async function toReply(given: Response, occurrence: Occurrence, codes: ReadonlySet<string>): Promise<PeopleReply> {
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  for (const name of ['content-type', 'location', 'retry-after']) {
    const value = given.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  const cookies = given.headers.getSetCookie();
  if (cookies.length > 0) headers[setCookiesHeader] = JSON.stringify(cookies);
  const text = await given.text();
  const { status } = given;
  const common = { status, headers, facts: undefined, stated: undefined };
  if (status < 400) return { ...common, body: text, reason: undefined };
  headers['content-type'] = problemMediaType;
  // RFC 9110 §15.5.2; without one, a 401 is about the hop.
  if (status === 401) headers['www-authenticate'] = 'Cookie realm="tombolo"';
  const { name, problem } = toProblem(status, text, occurrence);
  return { ...common, body: JSON.stringify(problem), reason: `people:${codes.has(name) ? name : 'refused'}` };
}

/** better-auth's own refusals, `{ code, message }`, in the form of all others (RFC 9457). */
function toProblem(status: number, text: string, { requestId, traceId }: Occurrence) {
  const said: unknown = toJson(new TextEncoder().encode(text));
  const [code, message] = isJsonObject(said) ? [said['code'], said['message']] : [];
  const [, at, wrong] = typeof message === 'string' ? (/^\[body\.([\w.]+)\] (.+)$/.exec(message) ?? []) : [];
  const name = typeof code === 'string' ? code.toLowerCase() : status === 404 ? 'route_not_found' : 'people_refused';
  const problem = {
    type: `urn:tombolo:problem:people:${name}`,
    title: typeof message === 'string' ? message : 'Refused',
    status, instance: instanceOf(requestId), traceId, code: name,
    ...(at === undefined ? {} : { errors: [{ at: `/${at.replaceAll('.', '/')}`, in: 'body', detail: wrong }] }),
  };
  return { name, problem };
}
