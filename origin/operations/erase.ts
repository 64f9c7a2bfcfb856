import type { WriteAccess } from '../access/write-access.ts';
import type { Answer } from '../call.ts';

export function erase(access: WriteAccess): Promise<Answer> {
  return access.erase();
}
