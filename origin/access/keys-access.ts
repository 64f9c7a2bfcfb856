/**
 * What the handler of an operation on API keys is given: keys as its caller may see them, the one look at a key that the edge
 * judges by, and no way to a key's text, which is in the answer to whoever made it and nowhere else.
 */
import { keyLimits } from '../../shared/api-keys/limits.ts';
import { toKeyId, toKeyText } from '../../shared/api-keys/key-text.ts';
import type { KeysPage, KeyUse, NewKey } from '../../shared/api-keys/operations.ts';
import { apiKeys, apiKeyUses } from '../../shared/api-keys/resource.ts';
import { toIdKey } from '../../shared/contract/ids.ts';
import { satisfies } from '../../shared/contract/rules.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { documentOf, keyIn, mustBeGiven, type StoredKey, toCredential, toShownKey } from '../api-keys/stored-key.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { Context } from '../context.ts';
import { absentAt, conditional, readOptions } from '../documents/representation.ts';
import { nonceOf } from '../documents/write-one.ts';
import type { CountRequest, FollowUp, ListRequest, Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { oneByOne } from './one-by-one.ts';
import { mustBeUnkept, mustBeWritten, refusing } from './own-writes.ts';
import { seenBy, type SeenOnes } from './seen-by.ts';

interface Made {
  readonly text: string;
  readonly hash: string;
}

export class KeysAccess {
  readonly #context: Context;
  readonly #call: Asked;

  constructor(context: Context, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  async make(asked: NewKey): Promise<Answer> {
    mustBeUnkept(this.#call, whatElse);
    const { store } = this.#context;
    const { principal } = this.#call;
    const now = this.#context.now();
    const given = mustBeGiven(asked, principal, this.#context, now);
    return oneByOne(store, `keys ${given.owner}`, () => this.#make(given, now));
  }

  async #make(given: Omit<StoredKey, 'hash'>, now: number): Promise<Answer> {
    const { store } = this.#context;
    const { value: count } = await store.count(apiKeys, requestOf('owner', given.owner), keyLimits.ofOneMax, readOptions(this.#call));
    if (count >= keyLimits.ofOneMax) throw new Fault('document_conflict', { detail: `you have ${count} keys: revoke one of them` });
    const id = toKeyId(now, randomBytes);
    const { text, hash } = newText(id);
    const document = { ...given, hash };
    const decide = (before: StoredDocument | undefined) => {
      if (before !== undefined) throw new Fault('document_exists', { detail: 'try again' });
      return document;
    };
    return { ...(await this.#write(id, decide)), outcome: 'created', createdId: id, ...this.#shown(id, document, text) };
  }

  async list({ limit, after }: KeysPage): Promise<StateAnswer> {
    const request = toListRequest(seenBy(this.#call.principal), limit + 1, after);
    const { value: rows, position } = await this.#context.store.list(apiKeys, request, readOptions(this.#call));
    const page = rows.slice(0, limit).map(({ document }) => document);
    const uses = await this.#usesOf(page.map(({ id }) => id));
    const now = this.#context.now();
    const data = page.map((document) => toShownKey(document.id, keyIn(document), uses.get(document.id), now));
    const next = rows.length > limit ? (page.at(-1)?.id ?? null) : null;
    return conditional(this.#call, [JSON.stringify({ data, page: { limit, next } })], { readAt: position });
  }

  async get(): Promise<StateAnswer> {
    const { id, principal } = this.#call;
    const { value: found, position } = await this.#context.store.get(apiKeys, id, readOptions(this.#call));
    if (found === undefined || !satisfies(found.value, seenBy(principal))) return absentAt(position);
    const shown = toShownKey(id, keyIn(found), (await this.#usesOf([id])).get(id), this.#context.now());
    return conditional(this.#call, [JSON.stringify(shown)], { readAt: position });
  }

  /** Whoever holds the new text asks as the owner, so nobody else is given it: an admin revokes. */
  async rotate(overlapSeconds: number): Promise<Answer> {
    mustBeUnkept(this.#call, whatElse);
    const { id, principal } = this.#call;
    const now = this.#context.now();
    const { text, hash } = newText(id);
    let rotated: StoredKey | undefined;
    const decide = (found: StoredDocument | undefined) => {
      const key = mustSee(found, seenBy(principal));
      if (key.owner !== principal.subject) throw new Fault('forbidden', { detail: 'only its owner rotates a key: revoke it' });
      if (hasPassed(key.expiresAt, now)) throw new Fault('document_conflict', { detail: 'the key has expired' });
      const previousUntil = new Date(now + overlapSeconds * 1_000).toISOString();
      rotated = { ...key, hash, previousHash: key.hash, previousUntil, rotated: new Date(now).toISOString() };
      return rotated;
    };
    const written = await this.#write(id, decide);
    if (rotated === undefined) throw new Error(`key ${id} was written without a decision`);
    return { ...written, outcome: 'created', createdId: id, ...this.#shown(id, rotated, text) };
  }

  async revoke(): Promise<Answer> {
    const { id, principal } = this.#call;
    const decide = (found: StoredDocument | undefined) => {
      mustSee(found, seenBy(principal));
      return undefined;
    };
    return { ...(await this.#write(id, decide)), outcome: 'removed' };
  }

  /** A key of an id, for the edge alone. */
  async find(): Promise<StateAnswer> {
    const { id } = this.#call;
    const { value: found, position } = await this.#context.store.get(apiKeys, id, readOptions(this.#call));
    if (found === undefined) return absentAt(position);
    return conditional(this.#call, [JSON.stringify(toCredential(id, keyIn(found)))], { readAt: position });
  }

  /** Several edges tell of one key: the latest use stands, and what tells nothing new is no write. */
  async noteUses(used: readonly KeyUse[]): Promise<Answer> {
    const { store } = this.#context;
    const { value: known } = await store.many(apiKeys, used.map(({ id }) => id), readOptions(this.#call));
    const ids = new Set(known.map(({ id }) => id));
    const mutations = used.filter(({ id }) => ids.has(id)).map(({ id, at }): Mutation => ({
      resource: apiKeyUses, id,
      decide: (before) => (String(before?.value['at'] ?? '') >= at ? { kind: 'keep' } : { kind: 'put', document: { at } }),
    }));
    const { position } = await store.write(mutations, { deadline: this.#call.deadline, ...nonceOf(this.#call) });
    return { outcome: 'removed', writtenAt: position };
  }

  /** One key, and with a key that goes when it was last used. `undefined` revokes. */
  async #write(id: string, decide: (found: StoredDocument | undefined) => StoredKey | undefined): Promise<Pick<Answer, 'writtenAt'>> {
    const forgotten: FollowUp = { resource: apiKeyUses, id, decide: (before) => ({ kind: before === undefined ? 'keep' : 'remove' }) };
    const mutation: Mutation = {
      resource: apiKeys, id,
      decide: (before) => refusing(() => {
        const key = decide(before);
        return key === undefined ? { kind: 'remove', also: [forgotten] } : { kind: 'put', document: documentOf(key) };
      }),
    };
    const { outcomes, position } = await this.#context.store.write([mutation], { deadline: this.#call.deadline, ...nonceOf(this.#call) });
    mustBeWritten(outcomes[0]);
    return { writtenAt: position };
  }

  #shown(id: string, key: StoredKey, text: string): Pick<Answer, 'body' | 'mediaType'> {
    return { body: JSON.stringify({ ...toShownKey(id, key, undefined, this.#context.now()), key: text }), mediaType: 'application/json' };
  }

  async #usesOf(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { value: uses } = await this.#context.store.many(apiKeyUses, ids, readOptions(this.#call));
    return new Map(uses.map(({ id, value }) => [id, String(value['at'])]));
  }
}

const whatElse = 'an API key is shown once and not kept: where its answer is lost, revoke it and make another';

function hasPassed(moment: string | undefined, nowMs: number): boolean {
  return moment !== undefined && Date.parse(moment) <= nowMs;
}

function mustSee(found: StoredDocument | undefined, seen: SeenOnes): StoredKey {
  if (found === undefined || !satisfies(found.value, seen)) throw new Fault('document_not_found');
  return keyIn(found);
}

function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

function newText(id: string): Made {
  const text = toKeyText(id, randomBytes);
  return { text, hash: new Bun.CryptoHasher('sha256').update(text).digest('hex') };
}

/** One shape each: of everybody, of a tenant, of an owner. */
function toListRequest(seen: SeenOnes, limit: number, after: string | undefined): ListRequest {
  const { equal } = seen === true ? { equal: {} } : requestOf(seen.field, seen.value);
  return { equal, range: undefined, sort: byId, where: true, after: after === undefined ? undefined : [toIdKey(apiKeys, after)], limit };
}

const byId = [{ field: 'id', descending: false }];

function requestOf(field: string, value: string): CountRequest {
  return { equal: { [field]: [value] }, range: undefined, sort: byId, where: true };
}
