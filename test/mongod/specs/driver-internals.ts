import type { ChangeStream, ClientSession, ClusterTime, MongoClient } from 'mongodb';

/**
 * What the format asks for and the driver keeps to itself. Each is a field of the driver's own classes at the
 * version that the project pins; a new version that renames one makes these throw, not pass in silence.
 */

type SessionInternals = {
  readonly isPinned: boolean;
  readonly serverSession: { readonly isDirty: boolean };
  readonly transaction: { readonly state: string };
  readonly snapshotTime?: unknown;
};

export const isPinned = (session: ClientSession) => mustHave(internals(session).isPinned, 'isPinned');

export const isDirty = (session: ClientSession) => mustHave(internals(session).serverSession.isDirty, 'isDirty');

export const transactionState = (session: ClientSession) => mustHave(internals(session).transaction.state, 'transaction.state');

/** Unset until the first read of a snapshot session. */
export const snapshotTime = (session: ClientSession) => internals(session).snapshotTime;

/** Sends the stream's first command without taking a change, which no public method does. */
export async function openChangeStream(stream: ChangeStream): Promise<void> {
  const { cursor } = stream as unknown as { readonly cursor: { cursorInit(): Promise<void> } };
  await cursor.cursorInit();
}

/** What the client has last heard; unset against a standalone server. */
export function clusterTimeOf(client: MongoClient): ClusterTime | undefined {
  const { topology } = client as unknown as { readonly topology?: { readonly clusterTime?: ClusterTime } };
  return topology?.clusterTime;
}

const internals = (session: ClientSession) => session as unknown as SessionInternals;

function mustHave<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`the driver's session has no ${name} any more`);
  return value;
}
