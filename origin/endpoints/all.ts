/** A handler for each endpoint that is declared, by its name: the compiler asks for those that are missing. */
import type { endpoints } from '../../shared/endpoints/all.ts';
import type { EndpointHandlers } from '../access/own-answer.ts';
import { filmsTop } from './films-top.ts';
import { ordersPay } from './orders-pay.ts';

export const handlers: EndpointHandlers<typeof endpoints.operations> = { 'films-top': filmsTop, 'orders-pay': ordersPay };
