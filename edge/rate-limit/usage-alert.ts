/** That so much of a quota is used, told to the origin as a document, where it serves those (`shared/resources/usage-alerts.ts`). */
import type { Plan } from '../../shared/limits/plans.ts';
import { usageAlertsName } from '../../shared/usage/alert.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import { tellOrigin } from '../origin-client/tell-origin.ts';
import type { Identified } from '../request/request.ts';
import { sleep } from '../sleep.ts';
import { dayMs, monthOf } from './days.ts';

/** Never rejects. The counter says it once, so it is tried again while the origin is away; the log has it in any case. */
export async function tellAlert(request: Identified, { name: plan, quota }: Plan, share: number, isOfTenant: boolean): Promise<void> {
  const { principal: { subject, key, claims: { tenant } }, context: { contract } } = request;
  if (subject === undefined || !contract.resources.has(usageAlertsName)) return;
  // Scopes of a key say what its bearer may ask for, and this is asked for by nobody.
  const principal = { subject, roles: [], claims: tenant === undefined ? {} : { tenant } };
  const month = new Date(monthOf(Date.now())[0] * dayMs).toISOString().slice(0, 10);
  const of = isOfTenant ? { isOfTenant } : key?.isCountedAlone === true ? { key: key.id } : {};
  const body = { plan, share, quota, month, ...of };
  for (const pauseMs of edgeLimits.alertPausesMs) {
    await sleep(pauseMs);
    try {
      const status = await tellOrigin(request, { path: '/.usage/alerts', principal, body });
      if (status < 300) return;
      log('warn', 'limit.alert_not_told', { status });
    } catch (cause) {
      log('warn', 'limit.alert_not_told', { cause: toLogged(cause) });
    }
  }
}
