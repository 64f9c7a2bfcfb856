/** Times of a deployment's history, as its server tells them. */
import type { ClientSession, Db, Timestamp } from 'mongodb';

/** The cluster time of the last write that a majority has, as the primary knows it. */
export async function majorityTime(database: Db): Promise<Timestamp> {
  const { lastWrite } = await database.command({ hello: 1 });
  const time: Timestamp | undefined = lastWrite?.majorityOpTime?.ts;
  if (time === undefined) throw new Error('hello tells no majority time: this is no replica set');
  return time;
}

export function mustOperationTime(session: ClientSession): Timestamp {
  const { operationTime } = session;
  if (operationTime === undefined) throw new Error('the server told no operation time');
  return operationTime;
}
