/** The log of a program of the origin's: a line of JSON each, on standard error, by the words that the edge has for levels. */
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LeastLevel } from '../shared/settings/reader.ts';
import { toLoggedError } from './trouble.ts';

export function openLog(level: LeastLevel, to: DestinationStream = pino.destination({ dest: 2, sync: true })): Logger {
  const formatters = { level: (word: string) => ({ level: word }) };
  return pino({ level, base: null, formatters, serializers: { err: toLoggedError } }, to);
}
