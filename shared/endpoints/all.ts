/** The team's own operations. A new one is a file beside this and a word here, and a handler in `origin/endpoints`. */
import { endpointModule } from '../operations/endpoint.ts';
import { filmsTop } from './films-top.ts';
import { ordersPay } from './orders-pay.ts';

export const endpoints = endpointModule(filmsTop, ordersPay);
