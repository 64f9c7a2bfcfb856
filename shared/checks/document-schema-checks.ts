/** What of the schema of a resource no document could be. */
import { type DocumentSchema, memberTypes, objectsOf } from '../contract/document-schema.ts';
import { isFieldName, type SystemFields } from '../contract/system-fields.ts';
import type { Mistakes } from './mistakes.ts';
import { checkSchema, whyDisagree } from './schema-checks.ts';

export function checkDocumentSchema(schema: DocumentSchema, system: SystemFields, mistakes: Mistakes): void {
  const kept = Object.entries(system);
  const isRefined = [schema, ...objectsOf(schema)].some(({ def }) => (def.checks?.length ?? 0) > 0);
  if (isRefined) mistakes.add('schema', 'refine fields, not the whole object');
  for (const [field, types] of memberTypes(schema)) {
    const disagreement = whyDisagree(types);
    if (disagreement !== undefined) mistakes.add(`schema.${field}${disagreement.path}`, disagreement.detail);
    const [role] = kept.find(([, name]) => name === field) ?? [];
    if (field === 'id') mistakes.add('schema.id', 'names the document and must not be declared');
    if (role !== undefined) {
      const another = role === 'deletedAt' ? 'removal' : `it with ${role}: false, or`;
      mistakes.add(`schema.${field}`, `is kept by Tombolo; declare ${another} with another name for ${role}`);
    }
    if (!isFieldName(field)) {
      mistakes.add(`schema.${field}`, 'must be letters, digits and _, beginning with a letter');
    }
  }
  checkSchema(schema, mistakes);
}
