/** A verified, parsed and authorized request: what a verb gets, with nothing left to check at the door. */
import type { OnDuplicate } from '../shared/contract/import-query.ts';
import type { Position } from '../shared/contract/position.ts';
import type { Principal } from '../shared/contract/principal.ts';
import type { ListQuery } from '../shared/contract/query.ts';
import type { Resource } from '../shared/contract/resource.ts';
import type { Verb } from '../shared/contract/routes.ts';
import type { Predicate } from '../shared/contract/rules.ts';
import type { JsonObject } from '../shared/contract/values.ts';
import type { VerifiedHop } from './hop/verify.ts';
import type { WriteOptions } from './store/store.ts';

interface BodyInput {
  readonly body: JsonObject;
  readonly bodyText: string;
}

/** What a verb takes beyond the path: parsed by the contract, once. */
export interface Inputs {
  readonly list: { readonly query: ListQuery };
  readonly one: { readonly fields: readonly string[] | undefined };
  readonly create: BodyInput;
  readonly replace: BodyInput;
  readonly patch: BodyInput;
  readonly remove: { readonly bodyText: '' };
  readonly changes: { readonly after: string | undefined };
  readonly import: { readonly onDuplicate: OnDuplicate; readonly stream: ReadableStream<Uint8Array> | null };
}

/** A request as every verb sees it. */
export interface Asked {
  readonly hop: VerifiedHop;
  readonly resource: Resource;
  /** Of a verb on one document; empty otherwise. */
  readonly id: string;
  readonly principal: Principal;
  /** The read rule with the principal put in. */
  readonly readable: Predicate;
  /** The rule of this verb's write, likewise; equal to `readable` for reads. */
  readonly writable: Predicate;
  readonly requestId: string;
  readonly deadline: number;
  readonly atLeast: Position | undefined;
  /** Present for unsafe requests: spent in the write's transaction. */
  readonly nonce: NonNullable<WriteOptions['nonce']>;
}

/** The same with what its own verb takes. */
export interface Call<V extends Verb> extends Asked {
  readonly input: Inputs[V];
}

/** What a verb gives back; `respond.ts` makes the HTTP of it. */
export interface Answer {
  readonly status: number;
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  readonly headers: Record<string, string>;
  /** Of a read: where the state was read, for the edge's cache. */
  readonly readAt?: Position;
  /** Of a write: given to the client, signed. */
  readonly writtenAt?: Position;
}
