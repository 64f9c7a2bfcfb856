/** The Worker: the pipeline over what is served, and the Durable Objects that keep state for it. */
import { served as contract } from '../shared/resources/all.ts';
import { offered as plans } from '../shared/resources/plans.ts';
import { toWorker } from './host/cloudflare.ts';

export { Counters } from './rate-limit/counters.object.ts';
export { Coordinator } from './coordinator/generations.object.ts';
export { Tickets } from './identity/tickets.object.ts';
export default toWorker({ contract, plans });
