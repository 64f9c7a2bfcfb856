/** The operations of `shared/webhooks`, by the names of their rows. */
import {
  changedWebhookIn, newWebhookIn, resendingIn, type webhookOperations as rows, webhookOverlapIn,
} from '../../shared/webhooks/operations.ts';
import type { WebhooksAccess } from '../access/webhooks-access.ts';
import type { Call } from '../call.ts';

export const webhookHandlers = {
  makeWebhook: (access: WebhooksAccess, { body }: Call<typeof rows.makeWebhook>) => access.make(newWebhookIn(body.value)),
  listWebhooks: (access: WebhooksAccess, { input }: Call<typeof rows.listWebhooks>) => access.list(input),
  getWebhook: (access: WebhooksAccess) => access.get(),
  changeWebhook: (access: WebhooksAccess, { body }: Call<typeof rows.changeWebhook>) => access.change(changedWebhookIn(body.value)),
  removeWebhook: (access: WebhooksAccess) => access.remove(),
  rotateWebhook: (access: WebhooksAccess, { body }: Call<typeof rows.rotateWebhook>) => access.rotate(webhookOverlapIn(body.value)),
  testWebhook: (access: WebhooksAccess) => access.test(),
  listDeliveries: (access: WebhooksAccess, { input }: Call<typeof rows.listDeliveries>) => access.deliveries(input),
  resendDeliveries: (access: WebhooksAccess, { body }: Call<typeof rows.resendDeliveries>) => access.resend(resendingIn(body.value)),
} as const;
