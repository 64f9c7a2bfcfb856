/** A resource with places on the map, what is asked of it at random, and what that finds by the slow reading of SEMANTICS §7. */
import * as z from 'zod';
import { resource } from '../../shared/contract/resource.ts';
import { any, anyone, equals, role } from '../../shared/contract/rules.ts';
import { point } from '../../shared/contract/types.ts';
import { cellOf, toGridPoint } from '../../shared/geo/grid.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import { editor } from './text-notes.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { Random } from './random.ts';

export const stations = resource({
  name: 'stations', id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    at: point().optional(), kind: z.enum(['bus', 'tram']), lines: z.array(z.string()), open: z.boolean(), depot: point().optional(),
  }),
  rules: { read: any(equals('open', true), role('editor')), write: anyone },
  fieldRules: { 'depot.coordinates': { read: role('editor') } },
  shapes: {
    all: {},
    onMap: { place: 'at', beside: ['lines', 'kind'] },
    ofKind: { equal: ['kind'], place: 'at' },
    ofLine: { equal: ['lines'], place: 'at' },
    depots: { equal: ['kind', 'open'], place: 'depot' },
  },
});

type Position = readonly [longitude: number, latitude: number];

/** Far apart, and where the map has its sides. */
const middles: readonly [Position, ...Position[]] = [[24.94, 60.17], [180, -17], [-180, 0], [0, 90], [17, -90], [0, 0], [-74, 40.7]];

export function randomPosition(random: Random): Position {
  const [longitude, latitude] = random.pick(middles);
  const spread = random.pick([0, 0, 0.00001, 0.01, 1, 20]);
  // Few decimals put many places at one point, and on the edges that are asked for.
  const unit = random.pick([1, 10, 1e7]);
  const near = (value: number) => Math.round((value + (random.below(2_001) - 1_000) / 1_000 * spread) * unit) / unit;
  const east = near(longitude);
  return [east > 180 ? east - 360 : east < -180 ? east + 360 : east, Math.max(-90, Math.min(90, near(latitude)))];
}

export function randomStation(random: Random): JsonObject {
  const toPoint = (): JsonObject => ({ type: 'Point', coordinates: [...randomPosition(random), ...(random.chance(0.1) ? [120] : [])] });
  return {
    kind: random.pick(['bus', 'tram']), open: random.chance(0.8),
    lines: Array.from({ length: random.below(3) }, () => random.pick(['1', '2'])),
    ...(random.chance(0.95) ? { at: toPoint() } : {}), ...(random.chance(0.5) ? { depot: toPoint() } : {}),
  };
}

/** What is asked, as a query and as it is understood here. */
export interface MapQuestion {
  readonly query: string;
  readonly principal: Principal;
  readonly isMeant: (document: JsonObject) => boolean;
  readonly place: 'at' | 'depot';
  readonly near?: { readonly from: Position; readonly metres: number };
  readonly isWithin?: (position: Position) => boolean;
}

export function randomQuestion(random: Random, principals: readonly [Principal, ...Principal[]]): MapQuestion {
  const principal = random.pick(principals);
  const kind = random.pick(['bus', 'tram']);
  const [filter, isMeant, place] = random.pick<readonly [string, (document: JsonObject) => boolean, 'at' | 'depot']>([
    ['', () => true, 'at'],
    [`&kind=${kind}`, (document) => document['kind'] === kind, 'at'],
    ['&kind[in]=bus,tram', () => true, 'at'],
    [`&kind[ne]=${kind}`, (document) => document['kind'] !== kind, 'at'],
    ['&lines[nin]=1,3', (document) => !isList(document['lines']) || !document['lines'].includes('1'), 'at'],
    ['&lines[contains]=1,2', (document) => ['1', '2'].every((each) => isList(document['lines']) && document['lines'].includes(each)), 'at'],
    ['&lines=1', (document) => isList(document['lines']) && document['lines'].includes('1'), 'at'],
    ...(principal === editor
      ? [[`&kind=${kind}&open=true`, (document: JsonObject) => document['kind'] === kind && document['open'] === true, 'depot'] as const]
      : []),
  ]);
  const isSeen = (document: JsonObject) => isMeant(document) && (document['open'] === true || principal === editor);
  const [area, asked] = random.pick([randomNear, randomBox, randomPolygon])(random);
  return { query: `${asked}${filter}`, principal, isMeant: isSeen, place, ...area };
}

type Drawn = readonly [Pick<MapQuestion, 'near' | 'isWithin'>, string];

function randomNear(random: Random): Drawn {
  const from = randomPosition(random);
  const metres = random.pick([0, 1, 100, 5_000, 200_000, 3_000_000, 20_015_115]);
  return [{ near: { from, metres } }, `near=${decimal(from[0])},${decimal(from[1])}&distance=${metres}`];
}

function randomBox(random: Random): Drawn {
  const [[west, one], [east, other]] = [randomPosition(random), randomPosition(random)];
  const [south, north] = [Math.min(one, other), Math.max(one, other)];
  const isWithin = ([longitude, latitude]: Position) => {
    if (latitude < south || latitude > north) return false;
    if (Math.abs(latitude) === 90) return true;
    const both = Math.abs(longitude) === 180 ? [180, -180] : [longitude];
    return both.some((each) => (west <= east ? each >= west && each <= east : each >= west || each <= east));
  };
  return [{ isWithin }, `within=${[west, south, east, north].map(decimal).join()}`];
}

function randomPolygon(random: Random): Drawn {
  const ring = (): readonly Position[] => {
    const middle = random.pick(middles);
    const drawn = Array.from({ length: 3 + random.below(4) }, (): Position => {
      const [longitude, latitude] = random.chance(0.5) ? randomPosition(random) : middle;
      const shift = () => random.below(21) - 10;
      return [Math.max(-180, Math.min(180, longitude + shift())), Math.max(-90, Math.min(90, latitude + shift()))];
    }).map(([longitude, latitude]): Position => [Number(longitude.toFixed(7)), Number(latitude.toFixed(7))]);
    return [...drawn, ...drawn.slice(0, 1)];
  };
  const polygons = Array.from({ length: random.pick([1, 1, 2]) }, () => Array.from({ length: random.pick([1, 1, 2]) }, ring));
  const isWithin = ([longitude, latitude]: Position) => {
    if (Math.abs(latitude) === 90 && polygons.flat(2).some(([, each]) => each === latitude)) return true;
    const both = Math.abs(longitude) === 180 ? [180, -180] : [longitude];
    return polygons.some((rings) => both.some((each) => naiveInRings(rings, [each, latitude])));
  };
  const [only] = polygons;
  const geometry = polygons.length === 1 ? { type: 'Polygon', coordinates: only } : { type: 'MultiPolygon', coordinates: polygons };
  return [{ isWithin }, `within=${encodeURIComponent(JSON.stringify(geometry))}`];
}

/** Without an exponent. */
function decimal(value: number): string {
  return value.toFixed(7).replace(/\.?0+$/, '');
}

/** Whether a line to the north crosses an odd number of edges, in whole numbers; an edge belongs to what it encloses. */
function naiveInRings(rings: readonly (readonly Position[])[], [longitude, latitude]: Position): boolean {
  const exact = (value: number) => BigInt(Math.round(value * 1e7));
  const [x, y] = [exact(longitude), exact(latitude)];
  let crossings = 0;
  for (const ring of rings) {
    for (const [index, to] of ring.slice(1).entries()) {
      const from = ring[index] ?? to;
      const [ax, ay, bx, by] = [exact(from[0]), exact(from[1]), exact(to[0]), exact(to[1])];
      const [left, right] = ax <= bx ? [[ax, ay], [bx, by]] as const : [[bx, by], [ax, ay]] as const;
      const above = (left[1] - y) * (right[0] - left[0]) + (right[1] - left[1]) * (x - left[0]);
      const isBeside = x < left[0] || x > right[0];
      if (left[0] === right[0]) {
        if (x === left[0] && (y - ay) * (y - by) <= 0n) return true;
      } else if (!isBeside && above === 0n) return true;
      else if (x >= left[0] && x < right[0] && above > 0n) crossings++;
    }
  }
  return crossings % 2 === 1;
}

/** Metres on a sphere of the mean radius, by Vincenty's formula for one. */
export function naiveMetres([longitude, latitude]: Position, [toLongitude, toLatitude]: Position): number {
  const radians = (degrees: number) => degrees * Math.PI / 180;
  const [one, other, apart] = [radians(latitude), radians(toLatitude), radians(toLongitude - longitude)];
  const east = Math.cos(other) * Math.sin(apart);
  const north = Math.cos(one) * Math.sin(other) - Math.sin(one) * Math.cos(other) * Math.cos(apart);
  const along = Math.sin(one) * Math.sin(other) + Math.cos(one) * Math.cos(other) * Math.cos(apart);
  return 6_371_008.771 * Math.atan2(Math.hypot(east, north), along);
}

/** The document's place as it is understood, if it has one. */
function positionOf(document: JsonObject, place: string): Position | undefined {
  const found = document[place];
  const coordinates = found !== null && typeof found === 'object' && 'coordinates' in found ? found['coordinates'] : undefined;
  const [longitude, latitude] = isList(coordinates) ? coordinates : [];
  return typeof longitude === 'number' && typeof latitude === 'number' ? [longitude, latitude] : undefined;
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Why these are not the documents that are asked for, in their order; `undefined`: they are. */
export function whyWrong(documents: readonly JsonObject[], question: MapQuestion, found: readonly string[]): string | undefined {
  const { isMeant, place, near, isWithin } = question;
  const meant = documents.flatMap((document) => {
    const position = positionOf(document, place);
    return position === undefined || !isMeant(document) ? [] : [{ id: String(document['id']), position }];
  });
  const far = new Map(meant.map(({ id, position }) => [id, near === undefined ? 0 : naiveMetres(near.from, position)]));
  // A millimetre is what a distance is rounded to.
  const [sure, maybe] = [-0.001, 0.001].map((by) => meant.filter(({ id, position }) =>
    near === undefined ? isWithin?.(position) === true : (far.get(id) ?? 0) <= near.metres + by).map(({ id }) => id));
  const missing = sure?.filter((id) => !found.includes(id)) ?? [];
  const wrong = found.filter((id) => maybe?.includes(id) !== true);
  if (missing.length + wrong.length > 0) return `missing ${missing.join()}, wrong ${wrong.join()}`;
  if (new Set(found).size !== found.length) return `found twice: ${found.join()}`;
  const cells = new Map(meant.map(({ id, position }) => [id, cellOf(toGridPoint([...position]) ?? { x: 0, y: 0 })]));
  const unordered = found.find((id, index) => {
    const before = found[index - 1];
    const [cell = '', cellBefore = ''] = [cells.get(id), cells.get(before ?? '')];
    if (near === undefined && before !== undefined) return cell === cellBefore ? before > id : cellBefore > cell;
    const grows = (far.get(id) ?? 0) - (far.get(before ?? '') ?? 0);
    return before !== undefined && (grows < -0.001 || (grows === 0 && before > id));
  });
  return unordered === undefined ? undefined : `${unordered} is not at its place in ${found.join()}`;
}
