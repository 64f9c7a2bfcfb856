import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { all, any, equals, role, tenant } from '../contract/rules.ts';
import { integer } from '../contract/types.ts';

/** Ticket orders inside a tenant: members see and place them, staff decides, and keeps a note of its own. */
export const orders = resource({
  name: 'orders',
  schema: z.object({
    tenant: z.string().min(1).max(64).meta({ examples: ['odeon'] }),
    film: z.uuid(),
    seats: integer().min(1).max(20).meta({ examples: [2] }),
    buyer: z.string().min(1).max(128).meta({ examples: ['alice'] }),
    status: z.enum(['placed', 'paid', 'cancelled']).default('placed'),
    staffNote: z.string().max(1_000).optional(),
  }),
  rules: {
    read: tenant('tenant'),
    create: all(tenant('tenant'), any(equals('status', 'placed'), role('staff'))),
    update: all(tenant('tenant'), role('staff')),
    remove: all(tenant('tenant'), role('staff')),
    history: all(tenant('tenant'), role('staff')),
  },
  // Who sold, paid and cancelled what, for staff, until a quarter is over.
  history: { keptDays: 90 },
  fieldRules: { staffNote: { read: role('staff'), write: role('staff') } },
  shapes: {
    all: { sort: ['-createdAt'] },
    byStatus: { equal: ['status'], sort: ['-createdAt'] },
  },
  live: true,
});
