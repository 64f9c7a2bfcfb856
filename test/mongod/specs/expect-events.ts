import type { Observed } from './clients.ts';
import type { Entities } from './entities.ts';
import { forgive } from './driver-habits.ts';
import { match } from './match.ts';
import { must, Mismatch } from './mismatch.ts';
import type { ExpectedEvents, Fields } from './schema.ts';

/** Holds what was seen of a client against the expected events, in order, with none left over unless the test allows it. */
export function expectEvents(expectation: ExpectedEvents, entities: Entities): void {
  const { events, eventType = 'command', ignoreExtraEvents = false } = expectation;
  const client = entities.observed(expectation.client);
  const observed = eventType === 'cmap' ? client.cmapEvents : client.commandEvents;
  const at = `${eventType} events of ${expectation.client}`;
  const enough = ignoreExtraEvents ? observed.length >= events.length : observed.length === events.length;
  must(enough, at, () => `expected ${events.map(labelExpected).join(', ') || 'none'}; got ${observed.map(labelObserved).join(', ') || 'none'}`);
  events.forEach((event, index) => expectEvent(event, observed[index] as Observed, { at: `${at}[${index}]`, entities }));
}

function expectEvent(event: Readonly<Record<string, Fields>>, observed: Observed, place: { readonly at: string; readonly entities: Entities }): void {
  const [type, expected] = mustHaveOne(event, place.at);
  const at = `${place.at} ${type}`;
  must(type === observed.type, at, () => `got ${labelObserved(observed)}`);
  for (const name of ['commandName', 'databaseName'] as const) {
    if (name in expected) must(expected[name] === observed[name], at, () => `expected ${name} ${expected[name]}, got ${observed[name]}`);
  }
  for (const name of ['command', 'reply'] as const) {
    if (name in expected) match({ expected: expected[name], actual: forgive(observed[name], expected[name]), root: true, at: `${at}.${name}`, scope: place.entities });
  }
}

function mustHaveOne(event: Readonly<Record<string, Fields>>, at: string): readonly [string, Fields] {
  const [entry] = Object.entries(event);
  if (entry === undefined) throw new Mismatch(at, 'the expected event has no type');
  return entry;
}

const labelExpected = (event: Readonly<Record<string, Fields>>) =>
  Object.entries(event).map(([type, fields]) => label(type, fields['commandName'] ?? Object.keys((fields['command'] as Fields | undefined) ?? {})[0])).join();

const labelObserved = ({ type, commandName }: Observed) => label(type, commandName);

const label = (type: string, name: unknown) => `${type.replace('Event', '')}${name === undefined ? '' : `(${name})`}`;
