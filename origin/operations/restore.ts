import type { WriteAccess } from '../access/write-access.ts';
import type { Answer } from '../call.ts';

export function restore(access: WriteAccess): Promise<Answer> {
  return access.restore();
}
