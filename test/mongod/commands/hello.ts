// hello, and its old name isMaster
import { fail } from '../errors.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Member } from '../replica/member.ts';
import type { Server } from '../server.ts';
import { DOCUMENT_BYTES_MAX } from '../values/size.ts';
import { type Doc, isDoc, isTruthy, toNumber } from '../values/types.ts';
import { startScram } from './sasl.ts';
import { type Command, numberField } from './command.ts';

const WIRE_VERSION_MAX = 21;

export const hello: Command = {
  kind: 'any',
  async run(context) {
    const { body, member, connection, server } = context;
    const client = body['client'];
    if (isDoc(client)) {
      connection.clientMetadata ??= client;
      if (connection.appName === null) connection.appName = (client['application'] as Doc | undefined)?.['name'] as string | undefined ?? null;
    }
    const known = body['topologyVersion'];
    const wait = numberField(body, 'maxAwaitTimeMS', 'hello');
    if ((known === undefined) !== (wait === undefined)) throw fail('BadValue', "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'");
    if (isDoc(known) && wait !== undefined && toNumber(known['counter']) === Number(member.topologyCounter) && String(known['processId']) === String(member.processId)) {
      await member.awaitTopologyChange(wait, context.signal);
    }
    const reply = describeMember(server, member, context.name);
    const speculative = body['speculativeAuthenticate'];
    if (isDoc(speculative) && server.auth) {
      const started = startScram(context, speculative);
      if (started) reply['speculativeAuthenticate'] = started;
    }
    if (typeof body['saslSupportedMechs'] === 'string' && server.auth) reply['saslSupportedMechs'] = ['SCRAM-SHA-256'];
    return withWords({ ...reply, connectionId: connection.id, ok: 1 }, server.says.hello);
  },
};

function describeMember(server: Server, member: Member, name: string): Doc {
  const legacy = name !== 'hello';
  const writable = member.isPrimary;
  const primary = server.set.linkedTo(member).filter(other => other.isPrimary).sort((a, b) => b.term - a.term)[0];
  return {
    ...(legacy ? { ismaster: writable, helloOk: true } : { isWritablePrimary: writable }),
    topologyVersion: member.topologyVersion,
    ...(server.isReplicaSet ? {
      hosts: server.set.members.map(({ host }) => host), setName: server.set.name, setVersion: 1, secondary: !writable,
      ...(primary ? { primary: primary.host } : {}), me: member.host, ...(writable ? { electionId: member.electionId } : {}),
      lastWrite: { opTime: { ts: toTimestamp(member.lastAt), t: BigInt(member.term) }, lastWriteDate: new Date(member.lastWall), majorityOpTime: { ts: toTimestamp(member.commitAt), t: BigInt(member.term) }, majorityWriteDate: new Date(member.lastWall) },
    } : {}),
    maxBsonObjectSize: DOCUMENT_BYTES_MAX, maxMessageSizeBytes: 48_000_000, maxWriteBatchSize: 100_000,
    localTime: new Date(server.clock.now()), logicalSessionTimeoutMinutes: 30, minWireVersion: 0, maxWireVersion: WIRE_VERSION_MAX, readOnly: false,
  };
}

// What a test has the server say in place of its own.
export const withWords = (reply: Doc, says: Doc = {}): Doc => Object.fromEntries(Object.entries({ ...reply, ...says }).filter(([, value]) => value !== undefined));

export const isHello = (name: string): boolean => ['hello', 'isMaster', 'ismaster'].includes(name);
export const wantsMore = (body: Doc): boolean => isTruthy(body['maxAwaitTimeMS']);
