import { stepsOf } from '../../shared/operations/steps.ts';
import type { transaction as rows } from '../../shared/operations/transaction.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';

export function transaction(access: WriteAccess, { body }: Call<typeof rows.transaction>): Promise<Answer> {
  return access.transact(stepsOf(body.value));
}
