/** What became of tries at deliveries by this process, since its start. */
import type { StoredDelivery } from '../../shared/webhooks/resource.ts';

export class DeliveryCounts {
  deliveriesTaken = 0;
  deliveriesFailed = 0;
  deliveriesDead = 0;

  count(state: StoredDelivery['state']): void {
    if (state === 'delivered') this.deliveriesTaken++;
    else this.deliveriesFailed++;
    if (state === 'dead') this.deliveriesDead++;
  }
}
