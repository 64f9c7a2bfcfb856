/** How a resource names its documents, as it is declared. */
import type * as z from 'zod';
import { type Field, kindOfType } from './fields.ts';

export type IdDeclaration =
  | 'uuid'
  | 'objectId'
  /** Whole numbers that callers choose: int32, Long or a whole double in MongoDB, text past 2^53 on the wire. */
  | 'integer'
  | {
      readonly kind: 'integer';
      /** As below. */
      readonly importedFrom: string;
    }
  | {
      readonly kind: 'uuid';
      /** Binary of subtype 4 in MongoDB; SQLite has it as text. */
      readonly storedAs: 'binary';
    }
  | {
      /** The caller names its documents; `format` is what such a name may be. */
      readonly kind: 'string';
      readonly format: z.ZodString;
      /** The column or member of imported rows that holds the id; `id` unless said. */
      readonly importedFrom?: string;
    };

/** How ids compare: those that callers choose may be declared as UUIDs, too. */
export type IdKind = 'uuid' | 'objectId' | 'integer' | 'string';

export function toIdKind(id: IdDeclaration): IdKind {
  if (typeof id === 'string') return id;
  if (id.kind !== 'string') return id.kind;
  return kindOfType(id.format) === 'uuid' ? 'uuid' : 'string';
}

/** The id as a field like the others: it is asked for and ordered by as they are. */
export function idField({ idKind }: { readonly idKind: IdKind }): Field {
  return { name: 'id', kind: idKind, optional: false, nullable: false };
}

/** Whether callers choose the ids of new documents; Tombolo makes the others. */
export function isNamedByCallers({ id }: { readonly id: IdDeclaration }): boolean {
  return id === 'integer' || (typeof id === 'object' && id.kind !== 'uuid');
}
