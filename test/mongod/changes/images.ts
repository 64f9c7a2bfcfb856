// `fullDocument` and `fullDocumentBeforeChange`: looked up now, or as they were recorded with the change.
import { fail } from '../errors.ts';
import type { Member } from '../replica/member.ts';
import { visible } from '../storage/records.ts';
import { keyOf } from '../values/key-string.ts';
import type { Doc } from '../values/types.ts';
import type { ChangeEvent } from './events.ts';

export type ImageModes = { after: 'default' | 'updateLookup' | 'whenAvailable' | 'required'; before: 'off' | 'whenAvailable' | 'required' };

export function withImages({ doc, operation }: ChangeEvent, modes: ImageModes, member: Member): Doc {
  if (operation.kind !== 'update' && operation.kind !== 'delete') return doc;
  if (doc['operationType'] === 'invalidate') return doc;
  let out = doc;
  if (operation.kind === 'update' && operation.description && modes.after !== 'default') out = insertField(out, 'fullDocument', after(operation, modes, member, doc), 'ns');
  if (modes.before !== 'off') {
    const image = operation.images ? operation.before : null;
    if (!image && modes.before === 'required') throw fail('NoMatchingDocument', `Change stream was configured to require a pre-image for all update, delete and replace events, but the pre-image was not found for event: ${JSON.stringify(doc['_id'])}`);
    out = { ...out, fullDocumentBeforeChange: image };
  }
  return out;
}

function after(operation: ChangeEvent['operation'] & { kind: 'update' }, { after: mode }: ImageModes, member: Member, doc: Doc): Doc | null {
  if (mode !== 'updateLookup') {
    if (operation.images) return operation.doc;
    if (mode === 'required') throw fail('NoMatchingDocument', `Change stream was configured to require a post-image for all update events, but the post-image was not found for event: ${JSON.stringify(doc['_id'])}`);
    return null;
  }
  const collection = member.store.byUuid(operation.uuid);
  const view = { at: member.commitAt, holder: null };
  const record = collection?.find(keyOf(operation.id), view);
  return record ? visible(record, view) : null;
}

function insertField(doc: Doc, name: string, value: unknown, before: string): Doc {
  const out: Doc = {};
  for (const [key, item] of Object.entries(doc)) {
    if (key === before) out[name] = value;
    out[key] = item;
  }
  return out;
}
