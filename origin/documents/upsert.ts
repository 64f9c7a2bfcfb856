/**
 * An upsert: a whole document in the place of the one that has a unique key, or a new one. Who has the key is looked up before
 * the transaction and seen again inside it; where others took or left the key between the two, it begins again.
 */
import { documentInvalid } from '../../shared/contract/documents.ts';
import { isNamedByCallers } from '../../shared/contract/id-declarations.ts';
import { isWithin } from '../../shared/contract/path.ts';
import { uniqueKeyOf } from '../../shared/contract/unique.ts';
import type { BufferedBody } from '../../shared/operations/operation.ts';
import type { UniqueValues } from '../../shared/operations/upsert-query.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import { toConflict } from '../store/conflict.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { type Decide, mustMakeWhole, mustName, type Now } from './decisions.ts';
import { hiddenPaths } from './hidden-places.ts';
import { newId } from './new-document.ts';
import { visible } from './present.ts';
import { type Deciding, type OneWrite, writeOne } from './write-one.ts';
import { mustReplace, mustTouch } from './write-rules.ts';

/** Others must take and leave one key that often while one request looks; it is then told of the conflict. */
export const upsertTriesMax = 8;

interface Upsert extends Pick<UniqueValues, 'unique'> {
  readonly body: Pick<BufferedBody, 'sent' | 'value'>;
  readonly now: Now;
}

export async function upsertOne(deciding: Deciding, call: Asked, given: Upsert & UniqueValues): Promise<Answer> {
  const { deadline, resource } = call;
  let asked = call;
  for (let tries = 1; ; tries++) {
    // A store reads at or after what its own writes have met.
    const { value: holder } = await deciding.store.holder(resource, given.unique, given.values, { deadline });
    const moved = toConflict(given.unique.fields);
    try {
      return await writeOne(deciding, asked, holder === undefined ? toMade(call, given) : toReplaced(call, given, holder.id, moved));
    } catch (thrown) {
      const isMoved = thrown === moved || (holder === undefined && isOfKey(thrown, given));
      if (!isMoved || tries === upsertTriesMax) throw thrown;
      // A write that is refused has spent its nonce, unless there was a record to undo it with.
      if (call.idempotency === undefined) asked = { ...call, nonce: undefined };
    }
  }
}

/** Throws `moved` where the document does not have the key any more. */
export function toReplaced(call: Asked, { unique, body, now }: Upsert, id: string, moved: Fault): OneWrite {
  const { resource } = call;
  const key = uniqueKeyOf(resource, unique, body.value);
  return {
    id,
    decide(found) {
      if (found === undefined || uniqueKeyOf(resource, unique, found.value) !== key) throw moved;
      mustSeeKey(call, unique, found);
      const before = mustTouch(call, 'update', found);
      const named = body.value['id'];
      if (named !== undefined && named !== id) throw invalidId('differs from that of the document that has this key');
      return mustReplace(call, { id, before: before.value, ...body, nowMs: now() });
    },
  };
}

/** Who may not see the document, or not what the key is made of, is told what a second one of the key is told. */
function mustSeeKey(call: Asked, { fields, where }: UniqueValues['unique'], found: StoredDocument): void {
  const hidden = hiddenPaths(call, found.value);
  const paths = [...fields, ...where.map(([path]) => path)];
  const isSeen = visible(found, call.rights.readable) !== undefined && !paths.some((path) => hidden.some((each) => isWithin(path, each)));
  if (!isSeen) throw toConflict(fields);
}

function toMade(call: Asked, given: Upsert): OneWrite {
  const id = mustNew(call, given.body.value, given.now());
  const isFresh = !isNamedByCallers(call.resource);
  return { id, isFresh, also: { createdId: id }, decide: (found) => mustMakeWhole({ ...call, id }, given.body, found, given.now) };
}

/** Under the id of the call. */
export function toNew(call: Asked, { body, now }: Upsert): Decide {
  return (found) => {
    mustNew(call, body.value, now());
    return mustMakeWhole(call, body, found, now);
  };
}

/** Of the body, where callers name documents. */
function mustNew({ resource }: Asked, { id: given }: JsonObject, nowMs: number): string {
  if (isNamedByCallers(resource)) return mustName(resource, given);
  if (given !== undefined) throw invalidId('no document has this key, and a new one is not named by its caller');
  return newId(resource, nowMs);
}

function invalidId(detail: string): Fault {
  return documentInvalid([{ at: '/id', in: 'body', detail }]);
}

/** Whether a new document was refused because another one has this very key by now. */
function isOfKey(thrown: unknown, { unique }: Upsert): boolean {
  const places = toConflict(unique.fields).errors.map(({ at }) => at).join();
  return thrown instanceof Fault && thrown.reason === 'document_conflict' && thrown.errors.map(({ at }) => at).join() === places;
}
