/**
 * A validator of Tombolo's has a digest of itself as the `description` of its schema. So an origin of any version of the
 * contract tells what some version has set, and `npm run apply` may have narrowed, from what others have changed or taken out.
 */
import type { Db, Document } from 'mongodb';
import { digest64, toCanonicalJson } from '../../../../shared/wire/hash.ts';
import type { Json } from '../../../../shared/wire/values.ts';

/** `validation`: validator, level and action, as `create` and `collMod` take them. */
export function sealed({ validator, validationLevel, validationAction }: Document): Document {
  const { description: _description, ...schema } = validator.$jsonSchema as { readonly [keyword: string]: Json };
  const digest = digest64(toCanonicalJson([schema, validationLevel, validationAction]));
  return { validator: { $jsonSchema: { description: `of Tombolo: ${digest}`, ...schema } }, validationLevel, validationAction };
}

/** `options`: of a collection, as `listCollections` gives them. */
export function isSealed(options: Document | undefined): boolean {
  const { validator, validationLevel, validationAction } = options ?? {};
  if (validator?.$jsonSchema === undefined) return false;
  const own = sealed({ validator, validationLevel, validationAction });
  return Bun.deepEquals(own['validator'], validator);
}

/** Of these collections, those whose validator is not as a version of the contract has set it. One command, however many they are. */
export async function changedValidators(database: Db, names: readonly string[]): Promise<readonly string[]> {
  const there = await database.listCollections<{ readonly name: string; readonly options?: Document }>({ name: { $in: names } }).toArray();
  return there.filter(({ options }) => !isSealed(options)).map(({ name }) => name);
}
