/** What a write is told whose document would have a value that another one has, be it seen by the caller or not (SEMANTICS §8). */
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { Fault } from '../../shared/wire/fault.ts';

export function toConflict(fields: readonly string[], cause?: unknown): Fault {
  return new Fault('document_conflict', {
    detail: fields.length === 0 ? 'another document has this unique value' : `another document has this ${fields.join(' and ')}`,
    errors: fields.map((field) => ({
      at: toPointer(field.split('.')),
      in: 'body',
      detail: fields.length === 1 ? 'is taken' : 'is taken in this combination',
    })),
    cause,
  });
}
