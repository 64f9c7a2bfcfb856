/**
 * `endpoint()`: a team's own operation (SEMANTICS §18), declared in a file of `shared/endpoints` and carried out by the
 * handler of the same name in `origin/endpoints`. It is a row like those of documents, so that routes, `Allow`, media types,
 * limits, deadlines, idempotency keys and problem documents follow from it. What is wrong with it, `shared/checks` finds.
 */
import * as z from 'zod';
import { bodyOf } from '../contract/documents.ts';
import { type Resource, resource } from '../contract/resource.ts';
import { nobody, type Rule, toCanonicalRule } from '../contract/rules.ts';
import { outlineOf } from '../contract/schema-tree.ts';
import { digest64, toCanonicalJson } from '../wire/hash.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import { parseInput } from './endpoint-query.ts';
import type { VersionChanges } from '../versions/changes.ts';
import { isOfDocument, type Method, type Operation, type OwnPlace, type StateRead } from './operation.ts';

export interface EndpointDeclaration<Name extends string, Answers extends EndpointAnswers, Of extends Resource, Input extends z.ZodObject,
  Output extends z.ZodType> {
  /** Lower-case words with hyphens: the files `shared/endpoints/<name>.ts` and `origin/endpoints/<name>.ts`. */
  readonly name: Name;
  /** One sentence for whoever reads the description of the API. */
  readonly summary: string;
  /** The resource that it is about: its limits and cache policy hold. */
  readonly of: Of;
  /** Below that resource, on its collection (`/top`) or on one document (`/:id/pay`); or a path of its own. */
  readonly at: `/${string}` | Pick<OwnPlace, 'path'>;
  /** GET for a state; POST, PUT or PATCH for an effect. */
  readonly method: Method;
  readonly answers: Answers;
  /**
   * Who may ask; nobody unless said. That of an effect on a document may speak of the document's fields: it holds of the
   * document as it is in the write's transaction.
   */
  readonly rule?: Rule;
  /** The parameters of a GET, texts that become what the schema says; otherwise the JSON body. None unless said. */
  readonly input?: Input;
  readonly output: Output;
  /** Units of the caller's plan; 1 unless said. */
  readonly cost?: number;
  /** Of a state: the other resources that it reads. An answer that was made of more is not cached. */
  readonly reads?: readonly Resource[];
  /** Of a state, `everybody`: read as somebody reads who has not signed in, whoever asks, and cached once for all; `caller` unless said. */
  readonly audience?: Audience;
  /** The hosts that the handler's `fetch` may ask, by name. */
  readonly fetches?: readonly string[];
  /** Grows when the handler of a state means something else by the same declaration: what was kept before is not shown then. */
  readonly revision?: number;
  /** By older version: what the next one changed in what it takes and answers (SEMANTICS §19). */
  readonly versions?: EndpointVersions;
}

export type EndpointVersions = Readonly<Record<string, { readonly [Part in 'input' | 'output']?: VersionChanges[string] }>>;

export type AnyDeclaration = EndpointDeclaration<string, EndpointAnswers, Resource, z.ZodObject, z.ZodType>;
type EndpointAnswers = 'state' | 'effect';
type Audience = 'everybody' | 'caller';

export interface Endpoint<Name extends string = string, Answers extends EndpointAnswers = EndpointAnswers, Of extends Resource = Resource,
  Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> extends Operation {
  readonly name: Name;
  readonly answers: Answers;
  readonly right: Rule;
  readonly of: Of;
  readonly input: Input;
  readonly output: Output;
  readonly reads: readonly Resource[];
  readonly audience: Audience;
  readonly fetches: readonly string[];
  readonly versions: EndpointVersions;
  /** Names the declaration, as far as answers depend on it. */
  readonly digest: string;
  /** What `shared/checks` looks at before anything starts. */
  readonly declared: AnyDeclaration;
}

export function endpoint<const Name extends string, const Answers extends EndpointAnswers, Of extends Resource, Output extends z.ZodType,
  Input extends z.ZodObject = z.ZodObject<Record<never, never>>>(
  declared: EndpointDeclaration<Name, Answers, Of, Input, Output>,
): Endpoint<Name, Answers, Of, Input, Output> {
  return { ...toEndpoint(toReadable(declared)), declared };
}

function toEndpoint<Name extends string, Answers extends EndpointAnswers, Of extends Resource, Output extends z.ZodType,
  Input extends z.ZodObject>(
  declared: EndpointDeclaration<Name, Answers, Of, Input, Output>,
): Omit<Endpoint<Name, Answers, Of, Input, Output>, 'declared'> {
  const { name, summary, of, answers, output, cost = 1, reads = [], audience = 'caller', fetches = [] } = declared;
  const { revision = 0, versions = {} } = declared;
  const input = declared.input?.def?.type === 'object' ? declared.input : noInput<Input>();
  const right = toCanonicalRule(declared.rule ?? nobody, (field) => of.fields.get(field)?.kind);
  const outlines = [input, output].map((schema) => (schema?.def === undefined ? '' : outlineOf(schema)));
  const digest = digest64(toCanonicalJson([name, right, outlines, audience, revision]));
  const row = answers === 'state' ? toState({ ...declared, input, reads, audience, digest }) : toEffect({ ...declared, input });
  return {
    ...row, name, summary, answers, of, input, output, reads, audience, fetches, cost, versions,
    at: toPlace(declared), method: declared.method, right, digest,
    bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, gives: ['application/json'],
  };
}

/** Without these two nothing else of it can be read, and nothing starts; the types of a declaration are not checked when it runs. */
function toReadable<Declared extends Pick<AnyDeclaration, 'of' | 'at'>>(declared: Declared): Declared {
  const { of, at } = declared;
  const isRead = of?.schema !== undefined && (typeof at === 'string' || typeof at?.path === 'string');
  return isRead ? declared : { ...declared, of: of?.schema === undefined ? unread : of, at: '/unread' };
}

/** Stands for a resource that is none; nothing starts with it. */
const unread = resource({ name: 'unread', schema: z.object({}), shapes: {} });

/** What is declared by `endpoint()` says what it answers, and is carried out by a handler of the team's own. */
export function isEndpoint(row: Operation): row is Endpoint {
  return 'output' in row;
}

/** All of them as a module: its rows by name. */
export function endpointModule<const Declared extends readonly Endpoint[]>(...declared: Declared): EndpointModule<Declared> {
  return {
    operations: Object.fromEntries(declared.map((each) => [each.name, each])) as EndpointModule<Declared>['operations'],
    endpoints: declared,
  };
}

interface EndpointModule<Declared extends readonly Endpoint[]> {
  readonly operations: { readonly [Row in Declared[number] as Row['name']]: Row };
  readonly endpoints: readonly Endpoint[];
}

type StateDeclaration = Pick<Endpoint, 'name' | 'of' | 'input' | 'reads' | 'audience' | 'digest'> & { readonly rule?: Rule };

type OfKind = Pick<Operation, 'body' | 'takes' | 'carries' | 'conditions' | 'parse' | 'schema' | 'cached'>;

/** What only a state says. A row of a state carries the conditions of reads. */
function toState({ name, of, input, reads, audience, digest, rule = nobody }: StateDeclaration): OfKind {
  const others = reads.filter((other) => other.name !== of.name);
  const dependencies = [of, ...others].map((each) => ({ resource: each.name, buckets: [] }));
  const stated = { digest, rule, forEverybody: audience === 'everybody' };
  return {
    body: 'none', takes: [], carries: ['if-match', 'if-none-match'], conditions: 'read',
    parse: (_resource: Resource, query: string) => parseInput(input, query),
    cached: ({ id, input: given }: StateRead<unknown>) => ({
      name: `${name} ${digest} ${toCanonicalJson([id, given])}`, dependencies, stated, keepsAbsence: false,
    }),
  };
}

/** What only an effect says. Its preconditions are about the document of its path. */
function toEffect(declared: Pick<Endpoint, 'of' | 'input'> & Pick<AnyDeclaration, 'at'>): OfKind {
  const hasBody = Object.keys(declared.input.shape).length > 0;
  const schema = bodyOf(declared.input);
  const isAboutOne = isOfDocument({ at: toPlace(declared) });
  return {
    parse: (_resource: Resource, query: string) => mustBeWithoutParameters(query),
    carries: ['idempotency-key', 'if-match', 'if-none-match'], conditions: isAboutOne ? 'change' : 'none',
    ...(hasBody ? { body: 'buffered', takes: ['application/json'], schema: () => schema } : { body: 'none', takes: [] }),
  };
}

function toPlace({ of, at }: Pick<AnyDeclaration, 'of' | 'at'>): Operation['at'] {
  return typeof at === 'string' ? { of: of.name, at } : { path: at.path, about: of.name };
}

/** Without parameters and without a body, as the type says where it is left away. */
function noInput<Input extends z.ZodObject>(): Input {
  return z.object({}) as unknown as Input;
}

export function placeOf({ name }: Pick<AnyDeclaration, 'name'>): string {
  if (typeof name !== 'string' || name === '') return 'shared/endpoints: an endpoint without a name';
  return `shared/endpoints/${name}.ts: endpoint "${name}"`;
}
