import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { all, any, nobody, owner, role, tenant } from '../contract/rules.ts';
import { alertFields, usageAlertsName } from '../usage/alert.ts';

/** That 80 and 100 % of a quota are used, once each for a caller and month: for them, and for who administers their tenant. */
export const usageAlerts = resource({
  name: usageAlertsName,
  id: { kind: 'string', format: z.string().regex(/^[0-9a-f]{64}$/) },
  // Without a subject it is about the quota of the whole tenant.
  schema: z.object({ subject: z.string().optional(), tenant: z.string().optional(), ...alertFields }),
  rules: { read: any(owner('subject'), all(role('admin'), tenant('tenant'))), write: nobody },
  shapes: { newest: { sort: ['-createdAt'] } },
  live: true,
});
