import { type ClientSessionOptions, type CollectionOptions, type DbOptions, ReadPreference, type TransactionOptions } from 'mongodb';
import { isDocument } from './kinds.ts';
import type { Fields } from './schema.ts';

/** The suites' options carry the driver's names; only a read preference and a returned document are written differently. */
export function toDriverOptions<T extends object>(fields: Fields): T {
  const options: Record<string, unknown> = { ...fields };
  if (isDocument(options['readPreference'])) options['readPreference'] = toReadPreference(options['readPreference']);
  if (typeof options['returnDocument'] === 'string') options['returnDocument'] = options['returnDocument'].toLowerCase();
  return options as T;
}

export const toCollectionOptions = (fields: Fields = {}) => toDriverOptions<CollectionOptions>(fields);

export const toDatabaseOptions = (fields: Fields = {}) => toDriverOptions<DbOptions>(fields);

export const toTransactionOptions = (fields: Fields = {}) => toDriverOptions<TransactionOptions>(fields);

export function toSessionOptions({ defaultTransactionOptions, ...rest }: Fields = {}): ClientSessionOptions {
  const inherited = isDocument(defaultTransactionOptions) ? { defaultTransactionOptions: toTransactionOptions(defaultTransactionOptions) } : {};
  return { ...rest, ...inherited };
}

function toReadPreference(fields: Fields): ReadPreference {
  const preference = ReadPreference.fromOptions({ readPreference: fields as never });
  if (preference === undefined) throw new Error(`no read preference in ${JSON.stringify(fields)}`);
  return preference;
}
