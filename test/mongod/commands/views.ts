// Views: a name for a pipeline over another collection. Read only.
import { fail } from '../errors.ts';
import type { Doc } from '../values/types.ts';
import type { Context } from './command.ts';

export function viewPipeline(context: Context, name: string): { on: string; pipeline: Doc[] } | null {
  const options = context.member.store.get(context.db, name)?.options;
  return typeof options?.['viewOn'] === 'string' ? { on: options['viewOn'], pipeline: (options['pipeline'] ?? []) as Doc[] } : null;
}

export function refuseView(context: Context, name: string): void {
  if (viewPipeline(context, name)) throw fail('CommandNotSupportedOnView', `Namespace ${context.db}.${name} is a view, not a collection`);
}
