/** Days, weeks and months of instants in a time zone of the IANA database, right on the days that have 23 or 25 hours, too. */
import { remember } from '../remember.ts';
import type { Grain } from './terms.ts';

const charactersMax = 64;

export function isZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(name) || name.length > charactersMax) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();
const formatsMax = 32;

/** Throws for a zone that is not there. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
    timeZone: zone, era: 'short', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    hourCycle: 'h23',
  });
  remember(formats, zone, made, formatsMax);
  return made;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Clocks are changed at whole quarters of an hour since then; before, some stood at odd seconds. */
const quarterMs = 15 * minuteMs;
const oddBeforeMs = Date.UTC(1973, 0);

/** Reads instants of one zone: an offset is asked of the platform once for each quarter of an hour, which costs 2 µs. */
export class ZoneReader {
  readonly #format: Intl.DateTimeFormat;
  readonly #offsets = new Map<number, number>();

  constructor(zone: string) {
    this.#format = formatOf(zone);
  }

  /** `2026-11-29`, `2026-W48` (ISO 8601, a week begins on Monday) or `2026-11`. `time`: milliseconds of the epoch. */
  bucketOf(time: number, grain: Grain): string {
    const local = time + this.#offsetAt(time);
    if (grain === 'week') return toWeek(local);
    return dayOf(local).slice(0, grain === 'day' ? undefined : -3);
  }

  #offsetAt(time: number): number {
    if (time < oddBeforeMs) return this.#ask(time);
    const quarter = Math.floor(time / quarterMs);
    const known = this.#offsets.get(quarter);
    if (known !== undefined) return known;
    const offset = this.#ask(quarter * quarterMs);
    this.#offsets.set(quarter, offset);
    return offset;
  }

  #ask(time: number): number {
    const parts = new Map(this.#format.formatToParts(time).map(({ type, value }) => [type, value]));
    const of = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
    const year = parts.get('era')?.startsWith('B') === true ? 1 - of('year') : of('year');
    const local = new Date(0);
    local.setUTCFullYear(year, of('month') - 1, of('day'));
    local.setUTCHours(of('hour'), of('minute'), of('second'));
    return local.getTime() - Math.floor(time / 1_000) * 1_000;
  }
}

function dayOf(local: number): string {
  return new Date(local).toISOString().replace(/T.*/, '');
}

/** The year of a week is that of its Thursday. */
function toWeek(local: number): string {
  const weekday = (new Date(local).getUTCDay() + 6) % 7;
  const thursday = new Date(local + (3 - weekday) * dayMs);
  const year = dayOf(thursday.getTime()).slice(0, -6);
  const first = new Date(0).setUTCFullYear(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first) / (7 * dayMs)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}
