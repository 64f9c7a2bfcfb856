/** Ids of events: each is read back as it was written, and nothing else is one. */
import { expect, test } from 'bun:test';
import { formatEventId, parseEventId } from '../../../shared/wire/event-id.ts';

const position = { epoch: '0123456789abcdef', order: '00000000000000ff' };
const stream = 'AZaz09_-AZaz09_-AZaz09';

test('an id says its position, its stream or both', () => {
  for (const id of [{ position, stream: undefined }, { position, stream }, { position: undefined, stream }]) {
    expect(parseEventId(formatEventId(id))).toEqual(id);
  }
});

test('what is no id is none', () => {
  const at = `${position.epoch}.${position.order}`;
  for (const text of [
    '', 'start', 'start.', '.', at.slice(0, 16), `${at}.`, `start.${stream.slice(1)}`, `start.${stream}A`, `start.${stream}.${stream}`,
    `${at}.${stream}.`, `${at}.${stream.slice(1)}`, `${at}.start`, `${at}.${stream.slice(1)}+`, `${at.toUpperCase()}.${stream}`,
    ` ${at}`, `${at}\n`, `${at}.${stream}\n`, `.${stream}`,
  ]) {
    expect([text, parseEventId(text)]).toEqual([text, undefined]);
  }
});
