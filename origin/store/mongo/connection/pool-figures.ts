/** How many connections of a client are in use, and how many calls wait for one, as the driver's events of its pools tell. */
import type { MongoClient } from 'mongodb';
import type { Figures } from '../../../services/figures.ts';

export type PoolFigures = () => Pick<Figures, 'connectionsBusy' | 'connectionsWaiting'>;

/** Of a client that has no connection yet. */
export function watchPool(client: MongoClient): PoolFigures {
  let [busy, waiting] = [0, 0];
  client.on('connectionCheckOutStarted', () => void waiting++);
  client.on('connectionCheckOutFailed', () => void waiting--);
  client.on('connectionCheckedOut', () => {
    waiting--;
    busy++;
  });
  client.on('connectionCheckedIn', () => void busy--);
  return () => ({ connectionsBusy: busy, connectionsWaiting: waiting });
}
