// saslStart, saslContinue, logout: SCRAM-SHA-256 as a server
import { Binary } from 'bson';
import { fail } from '../errors.ts';
import { ScramExchange } from '../wire/scram.ts';
import { type Doc, toNumber } from '../values/types.ts';
import { type Command, type Context, ok } from './command.ts';

const text = (payload: unknown): string => (payload instanceof Binary ? Buffer.from(payload.value()).toString('utf8') : String(payload));
const bytes = (payload: string): Binary => new Binary(Buffer.from(payload, 'utf8'));
const denied = (): Error => fail('AuthenticationFailed', 'Authentication failed.');

export function startScram(context: Context, body: Doc): Doc | null {
  const { server, connection } = context;
  if (body['mechanism'] !== 'SCRAM-SHA-256') return null;
  const exchange = new ScramExchange(server.users, () => server.randomBytes(18));
  const first = exchange.first(text(body['payload']));
  if (first === null) throw denied();
  connection.scram = exchange;
  return { conversationId: 1, done: false, payload: bytes(first) };
}

export const saslStart: Command = {
  kind: 'any',
  run(context) {
    const started = startScram(context, context.body);
    if (!started) throw fail('BadValue', `Received authentication for mechanism ${String(context.body['mechanism'])} which is not enabled`);
    return ok(started);
  },
};

export const saslContinue: Command = {
  kind: 'any',
  run({ connection, body }) {
    const { scram } = connection;
    if (!scram || toNumber(body['conversationId']) !== 1) throw fail('BadValue', 'No SASL session state found');
    const last = scram.final(text(body['payload']));
    connection.scram = null;
    if (last === null) throw denied();
    connection.user = scram.user;
    return ok({ conversationId: 1, done: true, payload: bytes(last) });
  },
};

export const logout: Command = { kind: 'any', run({ connection }) { connection.user = null; return ok(); } };
