/** Deliveries that were taken, by a digest of their source and of what tells them apart: what they said is the payload of their job. */
import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { instant } from '../contract/types.ts';

export const received = resource({
  name: 'tombolo_received', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({ source: z.string(), at: instant() }), shapes: { due: { equal: ['source'], range: 'at' } },
});
