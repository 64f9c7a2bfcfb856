import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustTouch } from '../documents/write-rules.ts';
import { writeOne } from '../documents/write-one.ts';

export function remove(context: Context, call: Call<typeof documents.remove>): Promise<Answer> {
  return writeOne(context, call, call.id, (before) => (mustTouch(call, before), 'remove'), () => ({ outcome: 'removed' }));
}
