/**
 * Which accounts were deleted, by their ids alone, so that a backup of before brings none of them back (SEMANTICS §20): a restore
 * keeps the list, and at the next start whoever is on it and there again ends as at their deletion.
 */
import type { BetterAuthPlugin, DBAdapter } from 'better-auth';

/** Longer than backups are kept, in milliseconds. */
export const rememberedMs = 400 * 86_400_000;

/** Ids that are looked up at once. */
const pageSize = 500;

/** The table, as better-auth makes it. The restore of a backup reads and writes it too (`origin/store/sqlite/backup/departed.ts`). */
export const departedSchema = {
  id: 'tombolo-departed',
  schema: {
    departed: {
      fields: {
        subject: { type: 'string', required: true, unique: true, input: false },
        expiresAt: { type: 'date', required: true, input: false },
      },
    },
  },
} as const satisfies BetterAuthPlugin;

interface Departed {
  readonly subject: string;
  readonly expiresAt: Date;
}

/** May be asked again, and by several at once. */
export async function noteDeparted(adapter: DBAdapter, subject: string, nowMs: number): Promise<void> {
  const isNoted = async () => (await adapter.findOne({ model: 'departed', where: [{ field: 'subject', value: subject }] })) !== null;
  if (await isNoted()) return;
  try {
    await adapter.create({ model: 'departed', data: { subject, expiresAt: new Date(nowMs + rememberedMs) } });
  } catch (cause) {
    // Of two at once one is refused by the unique key.
    if (!(await isNoted())) throw cause;
  }
}

/** Deleted accounts that are there again. */
export async function returned(adapter: DBAdapter): Promise<readonly string[]> {
  const found: string[] = [];
  for (let offset = 0; ; offset += pageSize) {
    const sortBy = { field: 'subject', direction: 'asc' } as const;
    const page = await adapter.findMany<Departed>({ model: 'departed', limit: pageSize, offset, sortBy });
    const value = page.map(({ subject }) => subject);
    const where = [{ field: 'id', operator: 'in', value } as const];
    const users = value.length === 0 ? [] : await adapter.findMany<{ id: string }>({ model: 'user', where, limit: pageSize });
    found.push(...users.map(({ id }) => id));
    if (page.length < pageSize) return found;
  }
}
