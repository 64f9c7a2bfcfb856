/** The operations of `shared/api-keys`, by the names of their rows. */
import { type apiKeyOperations as rows, newKeyIn, overlapIn, usesIn } from '../../shared/api-keys/operations.ts';
import type { KeysAccess } from '../access/keys-access.ts';
import type { Call } from '../call.ts';

export const keyHandlers = {
  makeKey: (access: KeysAccess, { body }: Call<typeof rows.makeKey>) => access.make(newKeyIn(body.value)),
  listKeys: (access: KeysAccess, { input }: Call<typeof rows.listKeys>) => access.list(input),
  getKey: (access: KeysAccess) => access.get(),
  revokeKey: (access: KeysAccess) => access.revoke(),
  rotateKey: (access: KeysAccess, { body }: Call<typeof rows.rotateKey>) => access.rotate(overlapIn(body.value)),
  findKey: (access: KeysAccess) => access.find(),
  noteKeyUses: (access: KeysAccess, { body }: Call<typeof rows.noteKeyUses>) => access.noteUses(usesIn(body.value)),
} as const;
