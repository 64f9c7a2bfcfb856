/** What is wrong with how a resource names its documents. */
import type { IdDeclaration } from '../contract/id-declarations.ts';
import { type Mistakes, refuseUnknown } from './mistakes.ts';

const plainIds: readonly unknown[] = ['uuid', 'objectId', 'integer'];
const keys = { integer: ['kind', 'importedFrom'], uuid: ['kind', 'storedAs'], string: ['kind', 'format', 'importedFrom'] } as const;

export function checkId(declared: IdDeclaration | undefined, mistakes: Mistakes): void {
  if (declared === undefined || plainIds.includes(declared)) return;
  if (typeof declared !== 'object' || declared === null || !Object.hasOwn(keys, declared.kind)) {
    return mistakes.add('id', 'must be "uuid", "objectId", "integer" or an object, as in { kind: "string", format: z.string() }');
  }
  refuseUnknown(declared, keys[declared.kind], mistakes.at('id.'));
  if (declared.kind === 'uuid') {
    if (declared.storedAs !== 'binary') mistakes.add('id.storedAs', 'must be "binary"; a UUID that is stored as text is id: "uuid"');
    return;
  }
  if (typeof (declared.importedFrom ?? '') !== 'string') mistakes.add('id.importedFrom', 'must be the name of a column');
  if (declared.kind === 'string' && declared.format?.def?.type !== 'string') mistakes.add('id.format', 'must be a z.string()');
}
