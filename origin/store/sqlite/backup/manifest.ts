/** What stands beside a backup: what it was when it was taken, so that a restore can tell whether it still is. */
import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';

const fileSchema = z.strictObject({
  bytes: z.int().nonnegative(),
  /** In hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

const peopleSchema = z.strictObject({ ...fileSchema.shape, accounts: z.int().nonnegative() });

const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** RFC 3339. */
  takenAt: z.iso.datetime(),
  ...fileSchema.shape,
  /** Of the last change in it. */
  epoch: z.string(),
  sequence: z.int(),
  /** By table: a resource's `collection`. */
  documents: z.record(z.string(), z.int().nonnegative()),
  /** The copy of the people's file; `null`: there was none. Older backups say nothing of people. */
  people: peopleSchema.nullable().optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type PeopleManifest = z.infer<typeof peopleSchema>;

/** A copy that is not what it should be, or no copy of a database of Tombolo's: nothing is done with it. */
export class UnsoundBackup extends Error {
  constructor(path: string, detail: string, options?: ErrorOptions) {
    super(`${path} ${detail}`, options);
    this.name = 'UnsoundBackup';
  }
}

export const manifestPath = (path: string): string => `${path}.json`;
export const peoplePath = (path: string): string => `${path}.people`;

/** Throws an `UnsoundBackup` where there is none that can be read. */
export function mustManifest(path: string): Manifest {
  const beside = manifestPath(path);
  if (!existsSync(beside)) throw new UnsoundBackup(path, `has no manifest beside it (${beside})`);
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(beside, 'utf8')));
  } catch (cause) {
    throw new UnsoundBackup(beside, 'is no manifest of a backup', { cause });
  }
}
