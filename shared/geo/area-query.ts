/** What a list asks of the map by its parameters: `near` with `distance`, or `within` a box or GeoJSON (RFC 7946). */
import * as z from 'zod';
import type { QueryReader } from '../contract/query-reader.ts';
import { limits } from '../wire/limits.ts';
import type { Area, Near, Region, Ring } from './area.ts';
import { toDrawn, toGridPoint } from './grid.ts';

/** `undefined`: nothing is asked of the map. */
export function readArea(reader: QueryReader): Area | undefined {
  const { names } = reader;
  const [isNear, isWithin] = [names.has('near'), names.has('within')];
  if (names.has('distance') && !isNear) reader.refuse('distance', 'is how far from near, which is missing');
  if (!isNear && !isWithin) return undefined;
  if (isNear && isWithin) reader.refuse('within', 'not beside near');
  for (const name of ['sort', 'distinct']) {
    if (names.has(name)) reader.refuse(name, isNear ? 'not beside near, which has the nearest first' : 'not beside within');
  }
  const area = isNear ? readNear(reader) : toRegion(reader.one('within'));
  if (typeof area !== 'string') return area;
  reader.refuse('within', area);
  return undefined;
}

function readNear(reader: QueryReader): Near | undefined {
  const numbers = toNumbers(reader.one('near'));
  const point = numbers?.length === 2 ? toGridPoint(numbers) : undefined;
  if (point === undefined) reader.refuse('near', 'not <longitude>,<latitude> in degrees, as in 24.94,60.17');
  const text = reader.one('distance');
  const most = limits.nearMetresMax;
  const metres = /^\d{1,9}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!reader.names.has('distance')) reader.refuse('distance', 'is missing: how many metres from near');
  else if (!(metres <= most)) reader.refuse('distance', `not metres from 0 to ${most}, three decimals at most`);
  return point === undefined ? undefined : { kind: 'near', point, millimetres: Math.round(metres * 1_000) };
}

/** A text: why there is none. */
function toRegion(text: string): Region | string {
  return text.trimStart().startsWith('{') ? toPolygons(text) : toBox(text);
}

function toBox(text: string): Region | string {
  const [west = Number.NaN, south = Number.NaN, east = Number.NaN, north = Number.NaN, ...more] = toNumbers(text) ?? [];
  const [from, to] = [toDrawn([west, south]), toDrawn([east, north])];
  if (from === undefined || to === undefined || more.length > 0) {
    return 'neither <west>,<south>,<east>,<north> in degrees nor a Polygon or MultiPolygon of GeoJSON (RFC 7946)';
  }
  return from.y > to.y ? 'south is north of north' : { kind: 'box', west: from.x, south: from.y, east: to.x, north: to.y };
}

const positions = z.array(z.array(z.array(z.number())));
const geometry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Polygon'), coordinates: positions.min(1) }),
  z.object({ type: z.literal('MultiPolygon'), coordinates: z.array(positions.min(1)).min(1) }),
]);

function toPolygons(text: string): Region | string {
  const given = geometry.safeParse(parsed(text)).data;
  if (given === undefined) return 'is no Polygon or MultiPolygon of GeoJSON (RFC 7946)';
  const polygons = given.type === 'Polygon' ? [given.coordinates] : given.coordinates;
  const count = polygons.flat(2).length;
  if (count > limits.polygonPositionsMax) return `${count} positions; ${limits.polygonPositionsMax} at most`;
  const made = polygons.map((rings) => rings.map(toRing).filter((ring) => ring !== undefined));
  const isWhole = made.flat().length === polygons.flat().length;
  if (!isWhole) return 'has a ring that is not four or more positions on the earth, the last as the first';
  return { kind: 'polygons', polygons: made };
}

/** RFC 7946 §3.1.6. */
function toRing(given: readonly (readonly number[])[]): Ring | undefined {
  const ring = given.flatMap((position) => toDrawn(position) ?? []);
  const [first, last] = [ring[0], ring.at(-1)];
  const isClosed = first !== undefined && first.x === last?.x && first.y === last.y;
  return isClosed && ring.length >= 4 && ring.length === given.length ? ring : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Decimals, as in JSON. */
function toNumbers(text: string): readonly number[] | undefined {
  const parts = text.split(',');
  return parts.every((part) => /^-?\d{1,3}(?:\.\d{1,20})?$/.test(part)) ? parts.map(Number) : undefined;
}
