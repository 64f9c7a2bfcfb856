import type { historyOperations } from '../../shared/history/operations.ts';
import type { ReadAccess } from '../access/read-access.ts';
import type { Answer, Call } from '../call.ts';

export function history(access: ReadAccess, { input }: Call<typeof historyOperations.history>): Promise<Answer> {
  return access.history(input);
}
