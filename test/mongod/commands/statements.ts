// The statements of one insert, update or delete: each by itself, in order, until one fails that the others wait for
import { abortIn } from '../sessions/sessions.ts';
import type { Doc } from '../values/types.ts';
import { type Context, flag, statementId } from './command.ts';
import { toWriteError } from './writing.ts';

export type Statement = { item: Doc; index: number; id: number };

/** The answer's `writeErrors`, absent where every statement succeeded. */
export async function runStatements(context: Context, items: readonly Doc[], run: (statement: Statement) => Promise<void>): Promise<{ writeErrors?: Doc[] }> {
  const ordered = context.body['ordered'] === undefined || flag(context.body, 'ordered');
  const writeErrors: Doc[] = [];
  for (const [index, item] of items.entries()) {
    try {
      await run({ item, index, id: statementId(context, index) });
    } catch (error) {
      writeErrors.push(toWriteError(error, index, context));
      if (context.transaction && context.session) abortIn(context.session);
      if (ordered || context.transaction) break;
    }
  }
  return writeErrors.length === 0 ? {} : { writeErrors };
}
