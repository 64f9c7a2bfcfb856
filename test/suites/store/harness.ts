/** What the store suite needs of an engine: to be opened in a fresh place, opened again there, and removed. */
import type { Resource } from '../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { FollowUp, Mutation, Store } from '../../../origin/store/store.ts';

export interface OpenOptions {
  readonly resources: readonly Resource[];
  /** Documents that were there before Tombolo, whatever they hold. */
  readonly seed?: readonly { readonly resource: Resource; readonly id: string; readonly document: JsonObject }[];
  readonly clock?: () => number;
}

export interface Place {
  readonly store: Store;
  /** Closes the store and opens it again in the same place. */
  reopen(): Promise<Store>;
  remove(): Promise<void>;
}

export type OpenPlace = (options: OpenOptions) => Promise<Place>;

export function inTime(ms = 30_000): { readonly deadline: number } {
  return { deadline: Date.now() + ms };
}

export function put(resource: Resource, id: string, document: JsonObject): FollowUp {
  return { resource, id, decide: () => ({ kind: 'put', document }) };
}

export function remove(resource: Resource, id: string): FollowUp {
  return { resource, id, decide: () => ({ kind: 'remove' }) };
}

export function decide<Decide extends Mutation['decide']>(resource: Resource, id: string, decision: Decide) {
  return { resource, id, decide: decision };
}

/** The fields of a document as a store takes them. */
export function withoutId({ id: _id, ...fields }: JsonObject = {}): JsonObject {
  return fields as JsonObject;
}

export async function textOf(store: Store, resource: Resource, id: string): Promise<string | undefined> {
  return (await store.get(resource, id, inTime())).value?.text;
}

/** The reason of the Fault that `run` fails with; `undefined` when it does not fail. */
export async function reasonOf(run: Promise<unknown>): Promise<string | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'reason' in error) return String(error.reason);
    throw error;
  }
}
