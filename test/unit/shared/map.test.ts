/** Places on the map: what is declared, what is asked of them, and the geometry under it (SEMANTICS §7). */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { cellIn, entryIndexesOf, entryOf } from '../../../shared/contract/entry-index.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { ShapeDeclaration } from '../../../shared/contract/shapes.ts';
import { point } from '../../../shared/contract/types.ts';
import { type Box, isIn, type Polygons, relationTo } from '../../../shared/geo/area.ts';
import { Distances } from '../../../shared/geo/distance.ts';
import { around, cellOf, digits, type GridPoint, partsOf, rectangleOf, toDrawn, toGridPoint } from '../../../shared/geo/grid.ts';
import { listParametersOf, shapesOf } from '../../../shared/openapi/list-parameters.ts';
import { moved } from '../../../shared/versions/changes.ts';
import { translationOf } from '../../../shared/versions/dialect.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { faultOf } from '../../support/fault-of.ts';
import { naiveMetres, randomPosition, stations } from '../../support/map-stations.ts';
import { Random } from '../../support/random.ts';

const schema = z.object({
  at: point(), name: z.string(), size: z.number(), stops: z.array(z.object({ at: point() })), place: z.object({ type: z.string() }),
});

function withShape(shape: ShapeDeclaration) {
  return resource({ name: 'stops', schema, rules: { read: anyone }, shapes: { all: {}, found: shape } });
}

describe('a declaration', () => {
  test.each<[string, ShapeDeclaration]>([
    ['shapes.found.place: the schema has no field "there"', { place: 'there' }],
    ['shapes.found.place: "name" (string) is no Point of GeoJSON: point() declares one', { place: 'name' }],
    ['shapes.found.place: "place" (object) is no Point of GeoJSON: point() declares one', { place: 'place' }],
    ['shapes.found.place: "stops.at" is many; a document has one place', { place: 'stops.at' }],
    ['shapes.found.place: must be the name of a field', { place: ['at'] as never }],
    ['shapes.found.sort: not beside a place', { place: 'at', sort: ['name'] }],
    ['shapes.found.range: not beside a place', { place: 'at', range: 'size', sort: ['size'] }],
    ['shapes.found.text: not beside a place', { place: 'at', text: ['name'] }],
    ['shapes.found.folded: not beside a place', { place: 'at', equal: ['name'], folded: ['name'] }],
    ['shapes.found.beside: "name" is folded', { equal: ['name'], folded: ['name'], sort: ['size'], beside: ['name', 'size'] }],
  ])('is refused: %s', (mistake, shape) => {
    expect(resourceMistakes(withShape(shape)).some((line) => line.includes(mistake))).toBe(true);
  });

  test('of two places that one query would ask for is refused', () => {
    const twice = (equal: readonly string[]) => resourceMistakes(resource({
      name: 'stops', schema: z.object({ at: point(), depot: point(), name: z.string() }), rules: { read: anyone },
      shapes: { one: { place: 'at' }, other: { equal, place: 'depot' } },
    }));
    expect(twice(['name'])).toEqual([]);
    expect(twice([])[0]).toContain('shapes.other.place: "one" has the same equalities and another place');
  });

  test('has entries by the equalities and the cell of the point', () => {
    const stops = withShape({ place: 'at', equal: ['name'] });
    expect(resourceMistakes(stops)).toEqual([]);
    const [index] = entryIndexesOf(stops);
    expect(index?.entries.indexes.map(({ equal, sort }) => [equal, sort.map(({ field }) => field)])).toEqual([
      [['name'], ['cell', 'id']], [[], ['id']],
    ]);
    const entry = (at: unknown) => index && entryOf(index, { id: 'a', name: 'one', at: at as never });
    expect(entry({ type: 'Point', coordinates: [-180, -90] })).toEqual({ name: 'one', cell: '0000000000000000' });
    for (const none of [
      undefined, null, [1, 2], { type: 'Point' }, { type: 'LineString', coordinates: [1, 2] }, { type: 'Point', coordinates: [181, 0] },
      { type: 'Point', coordinates: ['1', 2] }, { type: 'Point', coordinates: [1] }, { type: 'Point', coordinates: [1, 2, 3, 4] },
    ]) expect([none, entry(none)]).toEqual([none, undefined]);
    if (index === undefined) throw new Error('no entries');
    const cell = (coordinates: readonly number[]) => cellIn(index, { at: { type: 'Point', coordinates } });
    expect([cell([180, 10]), cell([17, 90])]).toEqual([cell([-180, 10, 5]), cell([-20, 90])]);
  });

  test('of a point takes what RFC 7946 calls one', () => {
    const isTaken = (at: unknown) => point().safeParse(at).success;
    expect(isTaken({ type: 'Point', coordinates: [24.94, 60.17] })).toBe(true);
    expect(isTaken({ type: 'Point', coordinates: [24.94, 60.17, 12] })).toBe(true);
    for (const coordinates of [[24.94], [60.17, 124.94], [181, 0], [0, 0, 0, 0], ['1', '2']]) {
      expect(isTaken({ type: 'Point', coordinates })).toBe(false);
    }
    expect(isTaken({ type: 'MultiPoint', coordinates: [24.94, 60.17] })).toBe(false);
  });
});

describe('a query', () => {
  const ring = (count: number) => [...Array.from({ length: count - 1 }, (_, index) => [index / 10, index % 2]), [0, 0]];
  const noRing = 'has a ring that is not four or more positions on the earth, the last as the first';
  const within = (geometry: object) => `within=${encodeURIComponent(JSON.stringify(geometry))}`;
  const polygon = (...rings: unknown[]) => within({ type: 'Polygon', coordinates: rings });

  test.each<[string, string, string]>([
    ['near', 'not <longitude>,<latitude> in degrees, as in 24.94,60.17', 'near=24.94&distance=10'],
    ['near', 'not <longitude>,<latitude> in degrees, as in 24.94,60.17', 'near=60.17,124.94&distance=10'],
    ['near', 'not <longitude>,<latitude> in degrees, as in 24.94,60.17', 'near=1e1,2&distance=10'],
    ['distance', 'is missing: how many metres from near', 'near=0,0'],
    ['distance', `not metres from 0 to ${limits.nearMetresMax}, three decimals at most`, 'near=0,0&distance=-1'],
    ['distance', `not metres from 0 to ${limits.nearMetresMax}, three decimals at most`, 'near=0,0&distance=20015116'],
    ['distance', 'is how far from near, which is missing', 'distance=10'],
    ['within', 'not beside near', 'near=0,0&distance=1&within=0,0,1,1'],
    ['sort', 'not beside near, which has the nearest first', 'near=0,0&distance=1&sort=id'],
    ['sort', 'not beside within', 'within=0,0,1,1&sort=id'],
    ['distinct', 'not beside within', 'within=0,0,1,1&distinct=kind'],
    ['within', 'neither <west>,<south>,<east>,<north> in degrees nor a Polygon or MultiPolygon of GeoJSON (RFC 7946)', 'within=0,0,1'],
    ['within', 'south is north of north', 'within=0,5,1,1'],
    ['within', 'is no Polygon or MultiPolygon of GeoJSON (RFC 7946)', 'within={'],
    ['within', 'is no Polygon or MultiPolygon of GeoJSON (RFC 7946)', within({ type: 'Point', coordinates: [0, 0] })],
    ['within', 'is no Polygon or MultiPolygon of GeoJSON (RFC 7946)', polygon()],
    ['within', noRing, polygon([[0, 0], [1, 0], [1, 1], [0, 1]])],
    ['within', noRing, polygon([[0, 0], [1, 0], [0, 0]])],
    ['within', noRing, polygon([[0, 0], [181, 0], [1, 1], [0, 0]])],
    ['within', '201 positions; 200 at most', polygon(ring(limits.polygonPositionsMax + 1))],
  ])('is refused by %s: %s', (at, detail, query) => {
    const { reason, errors } = faultOf(() => parseListQuery(stations, `?${query}`));
    expect([reason, errors.find((error) => error.at === at)?.detail]).toEqual(['query_invalid', detail]);
  });

  test('that a target has room for has room for as many positions as are taken', () => {
    const query = `?${polygon(ring(limits.polygonPositionsMax))}`;
    expect(query.length).toBeLessThan(limits.targetBytesMax);
    expect(parseListQuery(stations, query).shape.name).toBe('onMap');
  });

  test('of the map is served by shapes with a place alone, and the others without', () => {
    expect(parseListQuery(stations, '?near=0,0&distance=1&kind=bus').shape.name).toBe('ofKind');
    expect(parseListQuery(stations, '').shape.name).toBe('all');
    expect(faultOf(() => parseListQuery(stations, '?kind=bus')).detail).toContain('ofKind (near=…&distance=…|within=…&kind=…)');
    expect(faultOf(() => parseListQuery(stations, '?near=0,0&distance=1&open=true')).reason).toBe('query_not_served');
  });

  test('of an older version is the same, and described by the name that the place has there', () => {
    const moving = resource({
      name: 'stops', schema: z.object({ at: point(), kind: z.string() }), rules: { read: anyone },
      versions: { v1: [moved({ site: 'at' })] }, shapes: { ofKind: { equal: ['kind'], place: 'at' } },
    });
    const made = contract(moving, versions({ name: 'v1' }, { name: 'v2' }));
    expect(contractMistakes(made)).toEqual([]);
    const [v1] = made.versions.all;
    const translation = v1 === undefined ? undefined : translationOf(made.versions, moving, v1);
    expect(translation?.upQuery('?near=24.94,60.17&distance=5&kind=a&fields=site')).toBe('?near=24.94%2C60.17&distance=5&kind=a&fields=at');
    const [now, then] = [undefined, translation].map((input) => ({
      names: listParametersOf(moving, input).map(({ name }) => name), ...shapesOf(moving, input),
    }));
    expect(then?.names).toEqual(now?.names ?? []);
    expect(then?.names).not.toContain('sort');
    const shown = { name: 'ofKind', equal: ['kind'], sort: [], example: '?near=24.94%2C60.17&distance=5000&kind=text' };
    expect(now?.extensions['x-shapes']).toEqual([{ ...shown, place: 'at' }]);
    expect(then?.extensions['x-shapes']).toEqual([{ ...shown, place: 'site' }]);
    expect(now?.words).toContain('| ofKind | `near` and `distance`, or `within`, of `at`<br>`kind` | the nearest first |');
  });

  test('names nothing of the map where no shape has a place', () => {
    const far = resource({
      name: 'trips', schema: z.object({ distance: z.int() }), rules: { read: anyone }, shapes: { by: { equal: ['distance'] } },
    });
    expect(parseListQuery(far, '?distance=5').equal).toEqual({ distance: [5] });
    expect(faultOf(() => parseListQuery(far, '?near=0,0')).errors[0]?.at).toBe('near');
  });
});

describe('the map', () => {
  const seed = Date.now() % 1_000_000;
  const random = new Random(seed);
  const points = Array.from({ length: 300 }, () => toGridPoint(randomPosition(random)) as GridPoint);
  const cells = (at: GridPoint) => Array.from({ length: digits + 1 }, (_, length) => cellOf(at).slice(0, length));

  test('a point is in its cells, and the text of it is the point', () => {
    for (const at of points) {
      expect(rectangleOf(cellOf(at))).toEqual({ west: at.x, east: at.x, south: at.y, north: at.y });
      for (const cell of cells(at)) {
        const { west, south, east, north } = rectangleOf(cell);
        expect([seed, cell, west <= at.x && at.x <= east && south <= at.y && at.y <= north]).toEqual([seed, cell, true]);
        expect(cell.length === digits || partsOf(cell).includes(cellOf(at).slice(0, cell.length + 1))).toBe(true);
      }
    }
  });

  test('distances are those of another formula, to the millimetre, also at the other end of the earth', () => {
    const degrees = ({ x, y }: GridPoint) => [x / 1e7 - 180, y / 1e7 - 90] as const;
    const ends = points.map(({ x, y }) => ({ x: (x + around / 2 + random.below(3)) % around, y: 1_800_000_000 - y }));
    for (const [index, from] of points.entries()) {
      for (const to of [...points.slice(index, index + 20), ...ends.slice(index, index + 2)]) {
        const [found, wanted] = [new Distances(from).to(to), naiveMetres(degrees(from), degrees(to)) * 1_000];
        expect([seed, from, to, Math.abs(found - wanted) <= 1]).toEqual([seed, from, to, true]);
      }
    }
    expect(new Distances({ x: 0, y: 0 }).to({ x: 0, y: 1_800_000_000 })).toBe(20_015_114_351);
  });

  test('no point of a cell is nearer than the cell, or further away', () => {
    for (const [index, from] of points.entries()) {
      const distances = new Distances(from);
      for (const at of points.slice(index, index + 10)) {
        for (const cell of cells(at)) {
          const [least, distance, most] = [distances.least(rectangleOf(cell)), distances.to(at), distances.most(rectangleOf(cell))];
          expect([seed, from, at, cell, least <= distance && distance <= most]).toEqual([seed, from, at, cell, true]);
        }
        expect(distances.to(at) - distances.least(rectangleOf(cellOf(at)))).toBeLessThanOrEqual(3);
      }
    }
  });

  test('a region has of a cell what it says', () => {
    for (const [index, at] of points.entries()) {
      const corners = [toDrawn(randomPosition(random)), toDrawn(randomPosition(random)), toDrawn(randomPosition(random))] as const;
      const [one, two] = corners as readonly [GridPoint, GridPoint, GridPoint];
      const box: Box = { kind: 'box', west: one.x, east: two.x, south: Math.min(one.y, two.y), north: Math.max(one.y, two.y) };
      const triangle: Polygons = { kind: 'polygons', polygons: [[[...corners, one].flatMap((corner) => corner ?? [])]] };
      for (const region of [box, triangle]) {
        for (const each of [at, ...points.slice(index, index + 5)]) {
          for (const cell of cells(each)) {
            const told = relationTo(region, rectangleOf(cell));
            const is = isIn(region, each);
            expect([seed, region, each, cell, told === 'some' || is === (told === 'all')]).toEqual([seed, region, each, cell, true]);
          }
        }
      }
    }
  });

  test('edges and corners belong to what they enclose, and holes do not', () => {
    const drawn = (...positions: readonly [number, number][]) => positions.map((position) => toDrawn(position) as GridPoint);
    const outer = drawn([0, 0], [10, 1], [10, 10], [0, 10], [0, 0]);
    const hole = drawn([2, 4], [4, 4], [4, 6], [2, 6], [2, 4]);
    const region: Polygons = { kind: 'polygons', polygons: [[outer, hole]] };
    const is = (longitude: number, latitude: number) => isIn(region, toGridPoint([longitude, latitude]) as GridPoint);
    expect([is(0, 0), is(10, 5), is(5, 0.5), is(2, 5), is(4, 6), is(1, 5)]).toEqual([true, true, true, true, true, true]);
    // One step of the grid beside an edge that is straight on the map, and not on the earth.
    expect([is(5, 0.4999999), is(5, 0.5000001), is(3, 5), is(2.0000001, 5), is(10.0000001, 5)]).toEqual([false, true, false, false, false]);
  });
});
