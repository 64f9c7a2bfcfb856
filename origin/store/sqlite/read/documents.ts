/** From `id` and `doc`, as they lie in the table, to a document and back. */
import { isLongId, toIdJson } from '../../../../shared/contract/ids.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { toWireText } from './member-names.ts';
import { StoredDocument } from '../../stored-document.ts';

/** What of a resource decides how its documents are shown. */
export type Shown = Pick<Resource, 'idKind' | 'names'>;

/** Whether a row can have this id. SQLite itself takes `007` for 7. */
export function mayBeId({ idKind }: Pick<Resource, 'idKind'>, id: string): boolean {
  return idKind !== 'integer' || isLongId(id);
}

export function toDocument(resource: Shown, id: string, doc: string): StoredDocument {
  return new StoredDocument(id, toWirePieces(toIdJson(resource, id), toWireText(resource, doc)));
}

/** The wire text, `{"id":…,` and the rest. Others may have written an empty object, or space after the brace. */
function toWirePieces(idJson: string, doc: string): readonly string[] {
  const start = `{"id":${idJson}`;
  return doc.charCodeAt(1) === quoteMark || !/^\{\s*\}/.test(doc) ? [`${start},`, doc.slice(1)] : [`${start}}`];
}

const quoteMark = 0x22;

export function toImage(resource: Shown, id: string, doc: string | null): JsonObject | null {
  return doc === null ? null : toDocument(resource, id, doc).value;
}
