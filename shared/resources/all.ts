/** The resources that edge and origin serve. A new one is a file beside this and a word here. */
import { contract } from '../contract/contract.ts';
import { cinemas } from './cinemas.ts';
import { filmRatings } from './film-ratings.ts';
import { films } from './films.ts';
import { orders } from './orders.ts';
import { places } from './places.ts';
import { reviews } from './reviews.ts';
import { screenings } from './screenings.ts';
import { usageAlerts } from './usage-alerts.ts';
import { versions } from './versions.ts';

export const served = contract(versions, films, places, reviews, orders, cinemas, screenings, filmRatings, usageAlerts);
