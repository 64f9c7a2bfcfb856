import type { WriteAccess } from '../access/write-access.ts';
import type { Answer } from '../call.ts';

export function remove(access: WriteAccess): Promise<Answer> {
  return access.remove();
}
