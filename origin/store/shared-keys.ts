/** Documents that share a unique key, as `npm run plan` counts them: no value of a key is told, since it may be a secret. */
import type { Resource } from '../../shared/contract/resource.ts';
import type { Unique } from '../../shared/contract/unique.ts';
import { examinationLimits, type Found } from './examination/examination.ts';

export interface SharedKeys {
  readonly resource: string;
  readonly unique: string;
  readonly fields: readonly string[];
  /** How many keys are of several documents, and those documents; `undefined`: there are too many documents to compare unasked. */
  readonly shared: { readonly keys: number; readonly documents: Found } | undefined;
}

/** One key, with two of its documents. */
interface Share {
  readonly count: number;
  readonly examples: readonly string[];
}

export async function toSharedKeys(
  { name }: Resource, unique: Unique, shares: Iterable<Share> | AsyncIterable<Share> | undefined,
): Promise<SharedKeys> {
  const shared = shares === undefined ? undefined : await counted(shares);
  return { resource: name, unique: unique.name, fields: unique.fields, shared };
}

async function counted(shares: Iterable<Share> | AsyncIterable<Share>) {
  let [keys, count] = [0, 0];
  const examples: string[] = [];
  for await (const share of shares) {
    keys++;
    count += share.count;
    if (examples.length < examinationLimits.examplesMax) examples.push(...share.examples);
  }
  return { keys, documents: { count, examples } };
}
