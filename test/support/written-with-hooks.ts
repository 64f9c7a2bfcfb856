/** A write of a document as an endpoint makes it, with the hook of its resource. */
import { asSystem } from '../../origin/access/on-behalf.ts';
import { DocumentsChanged, type Patch, plannedOf } from '../../origin/access/documents-changed.ts';
import { ReadLedger } from '../../origin/access/read-ledger.ts';
import type { OriginContext } from '../../origin/origin-context.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';

type ToPatch = (seen: JsonObject) => Patch;

/** Makes a document of what `toPatch` gives for none, where there is none; false: it was refused, since another wrote it meanwhile. */
export async function writeWithHooks(context: OriginContext, resource: Resource, id: string, toPatch: ToPatch): Promise<boolean> {
  const { settings, beforeWrites, store } = context;
  const deadline = Date.now() + 10_000;
  const changed = new DocumentsChanged(context, asSystem({
    operation: { name: 'write', right: 'update' }, resource, id: '', principal: anonymous, deadline, beforeWrites,
    rights: { readable: true, writable: true }, preconditions: { ifMatch: undefined, ifNoneMatch: undefined },
    idempotency: undefined, nonce: undefined, atLeast: undefined, tokenKey: settings.keys[0], requestId: 'write', traceId: undefined,
  }), new ReadLedger());
  const isThere = (await store.get(resource, id, { deadline })).value !== undefined;
  const change = isThere
    ? changed.merge(resource, id, (seen) => toPatch(seen as JsonObject))
    : changed.create(resource, { id, ...toPatch({}) });
  const { outcomes } = await store.write([plannedOf(change).mutation], { deadline });
  return outcomes.every(({ kind }) => kind === 'written');
}
