/**
 * An operation as a value: everything that edge and origin must agree on about one kind of request. Routing,
 * `Allow`, media types, bodies, time, cost, rights, cache name and dependencies are read from its row and from
 * nowhere else, so that adding an operation is a row in a module and a handler at the origin (`origin/operations`).
 */
import type * as z from 'zod';
import type { Dependencies } from '../contract/dependencies.ts';
import type { Expansion } from '../contract/expansion.ts';
import type { ReservedName } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import type { Rule } from '../contract/rules.ts';
import type { JsonObject } from '../wire/values.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * The collection, one of its documents, or a named action of either, of every resource or of one; or a path of a module's
 * own. No document can have the name of a collection's action as its id.
 */
export type Place = '/' | '/:id' | `/${ReservedName}` | `/:id/${string}` | PlaceOfOne | OwnPlace;

export interface PlaceOfOne {
  /** The name of the resource that offers it. */
  readonly of: string;
  /** A named action of its collection, or of its documents: `/top`, `/:id/pay`. */
  readonly at: `/${string}`;
}

export interface OwnPlace {
  /**
   * Below the version; no resource has its first word as a name, and all rows of it are one module's, about one resource. A
   * module's may have `/:id` behind that word, and what begins with a dot no client can ask for: the edge asks it for itself.
   */
  readonly path: `/${string}`;
  /**
   * The resource that it is about, by name: its rules, limits and cache policy hold. Where that is not served, this is not either.
   * Or `everyResource`: what it does to each is by the rules of that one; or a resource of the module's own.
   */
  readonly about: string;
}

export function isOwnPlace(at: Place): at is OwnPlace {
  return typeof at === 'object' && 'path' in at;
}

export function isOfOne(at: Place): at is PlaceOfOne {
  return typeof at === 'object' && 'of' in at;
}

/** Whether the operation is about one document, whose id stands in its path. */
export function isOfDocument({ at }: Pick<Operation, 'at'>): boolean {
  const below = typeof at === 'string' ? at : isOfOne(at) ? at.at : at.path.slice(firstWordOf(at.path).length);
  return below === '/:id' || below.startsWith('/:id/');
}

/** With the slash before it. */
export function firstWordOf(path: string): string {
  return /^\/[^/]*/.exec(path)?.[0] ?? '';
}

/** Headers that the hop carries to the origin for operations that read them; the client sends them, the edge those of `tombolo-`. */
export type CarriedHeader =
  | 'idempotency-key' | 'if-match' | 'if-none-match' | 'last-event-id' | 'prefer' | 'tombolo-keeps' | 'tombolo-stream'
  | 'tombolo-delivery';

export interface Operation<Input = unknown> {
  /** The same in contract, folder, code and log. */
  readonly name: string;
  /** One sentence for whoever reads the description of the API; those of ours stand there, out of the Worker. */
  readonly summary?: string;
  readonly method: Method;
  readonly at: Place;
  /**
   * `state`: what is stored, which may be cached and revalidated. `moment`: a stream that is made while it is read, of
   * what happens or of what is there, whose head comes like any other answer. `effect`: changes something. The first two
   * are safe (RFC 9110 §9.2.1).
   */
  readonly answers: 'state' | 'moment' | 'effect';
  /** The rule of the resource that lets callers in, or one of the operation's own. */
  readonly right: keyof Resource['rules'] | Rule;
  /** Whom it is for, and what others may do in its place: said to whoever has not the right. */
  readonly otherwise?: string;
  readonly body: 'none' | 'buffered' | 'streamed';
  /** A longer body is 413. */
  readonly bodyBytesMax: number;
  /** Media types of request bodies, and of answers, the preferred one first. */
  readonly takes: readonly string[];
  readonly gives: readonly [string, ...string[]];
  /** Whether callers choose among those that it gives, by `format` in the query or by `Accept` (`formats.ts`). */
  readonly isNegotiated?: true;
  readonly carries: readonly CarriedHeader[];
  /**
   * Preconditions (RFC 9110 §13): those of a read; those of a change, where a resource may demand `If-Match`; those of a
   * change that may create, which `If-None-Match: *` alone satisfies; or none, which refuses them.
   */
  readonly conditions: 'none' | 'read' | 'change' | 'change-or-create';
  /** The whole of a request, or of a moment's stream. */
  readonly msMax: number;
  /** Units of the caller's plan, where the resource does not say otherwise. */
  readonly cost: number;
  /** How many documents a request is of, at most, where it is charged by them: `cost`, or what the resource says, is for each. */
  counts?(asked: Counted<Input>): number;
  /** Whether this resource offers it; every resource does when this is absent. */
  offered?(resource: Resource): boolean;
  /** Reads the query string (with its question mark, or empty) and the carried headers; refuses what it does not know by name. */
  parse(resource: Resource, query: string, header: (name: CarriedHeader) => string | null): Input;
  /** The schema of a buffered body of one of the media types that it takes; the first unless said. */
  schema?(resource: Resource, mediaType?: string): z.ZodType<JsonObject>;
  /** What the cache keeps the answers under; every state has it. */
  cached?(read: StateRead<Input>): Cached;
  /** In what form documents of the resource stand in it, for older versions; an endpoint's input and output are its own. */
  readonly holds?: Holding;
}

export interface Holding {
  readonly body?: 'document' | 'patch' | 'rows' | 'items' | 'steps';
  readonly answer?: 'document' | 'page' | 'events' | 'report' | 'results' | 'rows' | 'history';
}

export interface Counted<Input = unknown> {
  readonly resource: Resource;
  readonly input: Input;
  /** What its schema made of it; empty where there is none. */
  readonly body: JsonObject;
}

export interface StateRead<Input> {
  readonly resource: Resource;
  /** The document's id; empty where the operation is about none. */
  readonly id: string;
  readonly input: Input;
}

export interface Cached {
  /** The same for all spellings of a request. */
  readonly name: string;
  /** Where the origin states them with each answer (`stated`): the resources, and no bucket yet. */
  readonly dependencies: Dependencies;
  readonly stated?: Stated;
  /** The related documents that stand in it. */
  readonly expanded?: readonly Expansion[];
  /** Whether the absence of what is asked for is an answer as good as any (404). */
  readonly keepsAbsence: boolean;
  /** How many times the operation's cost it is, where that is more than once. */
  readonly times?: number;
}

/** What holds of a state whose dependencies are known with its answer, not before. */
export interface Stated {
  /** Names the declaration; only an answer that the origin made by the same one is kept. */
  readonly digest: string;
  /** The rule of its own that lets callers in: it speaks of the caller alone, and holds before a stored answer is shown. */
  readonly rule: Rule;
  /** Whether it is read as somebody reads who has not signed in, whoever asks: one answer for all who may have it. */
  readonly forEverybody: boolean;
}

/** A stream of what happens, which a browser's `EventSource` can open. */
export function isFeed({ answers, gives }: Pick<Operation, 'answers' | 'gives'>): boolean {
  return answers === 'moment' && gives.includes('text/event-stream');
}

/** Nothing changes by repeating it (RFC 9110 §9.2.1). */
export function isSafe({ answers }: Pick<Operation, 'answers'>): boolean {
  return answers !== 'effect';
}

type Unnamed<O extends Operation> = Omit<O, 'name'>;

/**
 * A table of rows, each named by its key. Keeps the literal type of each, and with it the input of each handler.
 * Throws, at start, for a state that does not say what it depends on, and for anything else that says it.
 */
export function operations<const Table extends Readonly<Record<string, Unnamed<Operation>>>>(
  table: Table,
): { readonly [Name in keyof Table]: Table[Name] & { readonly name: string } } {
  for (const [name, { answers, cached, body, schema }] of Object.entries(table)) {
    if ((answers === 'state') !== (cached !== undefined)) {
      throw new Error(`operation ${name}: a state says what it depends on, and nothing else does`);
    }
    if ((body === 'buffered') !== (schema !== undefined)) {
      throw new Error(`operation ${name}: a buffered body has a schema, and nothing else has one`);
    }
  }
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, { ...row, name }])) as ReturnType<typeof operations<Table>>;
}

export type InputOf<Row extends Unnamed<Operation>> = ReturnType<Row['parse']>;

/** The media type of a body without its parameters (RFC 9110 §8.3.1); the first that is taken where the header names none of them. */
export function mediaTypeOf({ takes }: Pick<Operation, 'takes'>, header: string | null): string {
  const [type = ''] = (header ?? '').split(';');
  const essence = type.trim().toLowerCase();
  return takes.includes(essence) ? essence : (takes[0] ?? '');
}

/** A buffered body, in three forms; a stream that nobody has read; or nothing. */
export type BodyOf<Row extends Unnamed<Operation>> = Row['body'] extends 'buffered'
  ? BufferedBody
  : Row['body'] extends 'streamed'
    ? StreamedBody
    : undefined;

export interface BufferedBody {
  /** What its schema made of it. */
  readonly value: JsonObject;
  /** The same as JSON says it: what the caller named, without a default or a transform. */
  readonly sent: JsonObject;
  readonly text: string;
  /** One of those that the row takes, without parameters. */
  readonly mediaType: string;
}

export interface StreamedBody {
  /** With its parameters, as it was sent; one of those that the row takes. */
  readonly mediaType: string;
  /** Ends where the upload does; throws where it ends early. */
  readonly chunks: AsyncIterable<Uint8Array>;
}
