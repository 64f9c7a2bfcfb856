/** What is erased by programs that are killed, and the same as those see it who only look. */
import * as z from 'zod';
import { openContext } from '../../../origin/open-context.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';
import { testKeys } from '../../support/scripted-origin.ts';

const declared = {
  name: 'notes', id: { kind: 'string', format: z.string() }, schema: z.object({ n: z.int() }), shapes: { all: {} },
  rules: { read: anyone, write: anyone, restore: role('clerk') },
} as const;
export const notes = resource({ ...declared, removal: { at: 'deletedAt', keptDays: 1 } });
/** Without an end, so that whoever opens it erases nothing. */
const kept = resource({ ...declared, removal: { at: 'deletedAt' } });

export function openNotes(place: string, { erases }: { readonly erases: boolean }): Promise<OriginContext> {
  const settings = mustSettings({
    TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent',
    ...(place.startsWith('mongodb:') ? { MONGODB_URI: place } : { TOMBOLO_DATA_DIR: place }),
  });
  const times = { leaseTimes: { beatMs: 50, silentMsMax: 300 }, erasingRestMs: 20, isOneOfSeveral: true };
  return openContext(settings, contract(erases ? notes : kept), times);
}
