/** The edge with one plan for all, leased like any large one and never reached, since one client is the whole load; and one that is. */
import { toWorker } from '../../../edge/host/cloudflare.ts';
import { plans } from '../../../shared/limits/plans.ts';
import { served } from '../../../shared/resources/all.ts';

export * from '../../../edge/worker.ts';

const offered = plans({
  anonymous: 'bench', signedIn: 'bench',
  plans: { bench: [{ limit: 1_000_000_000, seconds: 60 }], spent: [{ limit: 100, seconds: 86_400 }] },
});

export default toWorker({ contract: served, plans: offered });
