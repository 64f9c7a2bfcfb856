/** The Durable Object that will keep generations; bound already, so that deployments need no migration later. */
import { DurableObject } from 'cloudflare:workers';

export class Coordinator extends DurableObject {}
