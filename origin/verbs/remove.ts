import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustTouch } from '../write-rules.ts';
import { writeOne } from './write.ts';

export function remove(context: Context, call: Call<'remove'>): Promise<Answer> {
  return writeOne(context, call, call.id, (before) => (mustTouch(call, before), 'remove'), () => ({ status: 204, body: undefined, headers: {} }));
}
