/**
 * What a list asks of the map: places around a point, or within a box or polygons. The edges of polygons are straight on the
 * map of longitudes and latitudes (RFC 7946 §3.1.1), edges belong to what they enclose, and who reaches a pole holds it.
 */
import { around, type GridPoint, isPole, type Rectangle } from './grid.ts';

export interface Near {
  readonly kind: 'near';
  readonly point: GridPoint;
  readonly millimetres: number;
}

/** `east` may be less than `west`: then it crosses the date line (RFC 7946 §5.2). */
export interface Box extends Rectangle {
  readonly kind: 'box';
}

export type Ring = readonly GridPoint[];

/** Each polygon of rings whose last point is the first: what an odd number of them surrounds. */
export interface Polygons {
  readonly kind: 'polygons';
  readonly polygons: readonly (readonly Ring[])[];
}

export type Region = Box | Polygons;
export type Area = Near | Region;

export function isIn(region: Region, point: GridPoint): boolean {
  if (isPole(point.y) && reaches(region, point.y)) return true;
  if (region.kind === 'box') return isInBox(region, point);
  // The date line is both sides of the map.
  const drawn = point.x === 0 ? [point, { ...point, x: around }] : [point];
  return region.polygons.some((rings) => drawn.some((each) => isInRings(rings, each)));
}

/** Whether points of the cell are in the region: none, all, or maybe some. */
export function relationTo(region: Region, cell: Rectangle): 'none' | 'all' | 'some' {
  const { west, south, north } = cell;
  // What has several places on the map is kept at its west side.
  const isSide = west === 0 && [south, north].some((y) => isPole(y) && reaches(region, y));
  const relation = region.kind === 'box' ? relationToBox(region, cell) : relationToPolygons(region, cell);
  return relation === 'none' && isSide ? 'some' : relation;
}

function reaches(region: Region, pole: number): boolean {
  if (region.kind === 'box') return pole === 0 ? region.south === 0 : region.north === pole;
  return region.polygons.some((rings) => rings.some((ring) => ring.some(({ y }) => y === pole)));
}

/** How far the box goes eastwards. */
function widthOf({ west, east }: Box): number {
  return east >= west ? east - west : east - west + around;
}

function eastwards(from: number, to: number): number {
  return (to - from + around) % around;
}

function isInBox(box: Box, { x, y }: GridPoint): boolean {
  return y >= box.south && y <= box.north && eastwards(box.west, x) <= widthOf(box);
}

function relationToBox(box: Box, { west, south, east, north }: Rectangle): 'none' | 'all' | 'some' {
  const [begins, width] = [eastwards(box.west, west), widthOf(box)];
  const ends = begins + east - west;
  if (north < box.south || south > box.north || (begins > width && ends < around)) return 'none';
  return south >= box.south && north <= box.north && ends <= width ? 'all' : 'some';
}

function relationToPolygons({ polygons }: Polygons, cell: Rectangle): 'none' | 'all' | 'some' {
  const { west, south } = cell;
  // A cell at the west side has the points of the east side, too.
  const atEast = { ...cell, west: around, east: around };
  const relations = polygons.map((rings) => {
    if (touchesAny(rings, cell) || (west === 0 && touchesAny(rings, atEast))) return 'some';
    return isInRings(rings, { x: west, y: south }) ? 'all' : 'none';
  });
  return relations.includes('all') ? 'all' : relations.includes('some') ? 'some' : 'none';
}

type Edge = readonly [GridPoint, GridPoint];

function edgesOf(rings: readonly Ring[]): readonly Edge[] {
  return rings.flatMap((ring) => ring.slice(1).map((to, index): Edge => [ring[index] ?? to, to]));
}

/** By a line eastwards: it crosses an odd number of edges. */
function isInRings(rings: readonly Ring[], point: GridPoint): boolean {
  let isInside = false;
  for (const edge of edgesOf(rings)) {
    const [from, to] = edge;
    const side = sideOf(edge, point);
    if (side === 0 && overlaps(edge, { west: point.x, south: point.y, east: point.x, north: point.y })) return true;
    if (from.y > point.y !== to.y > point.y && side > 0 === to.y > from.y) isInside = !isInside;
  }
  return isInside;
}

function touchesAny(rings: readonly Ring[], cell: Rectangle): boolean {
  return edgesOf(rings).some((edge) => touches(edge, cell));
}

/** Neither the sides of the rectangle nor the edge itself part the two. */
function touches(edge: Edge, cell: Rectangle): boolean {
  if (!overlaps(edge, cell)) return false;
  const corners = [cell.west, cell.east].flatMap((x) => [cell.south, cell.north].map((y) => sideOf(edge, { x, y })));
  return corners.some((side) => side >= 0) && corners.some((side) => side <= 0);
}

function overlaps([from, to]: Edge, { west, south, east, north }: Rectangle): boolean {
  return Math.min(from.x, to.x) <= east && Math.max(from.x, to.x) >= west &&
    Math.min(from.y, to.y) <= north && Math.max(from.y, to.y) >= south;
}

/** Products of grid steps are below 2^63, and a double rounds each by up to 2^10. */
const certain = 2 ** 13;

/** Above 0: the point is at the left of the edge; 0: on its line, exactly. */
function sideOf([from, to]: Edge, { x, y }: GridPoint): number {
  const side = (to.x - from.x) * (y - from.y) - (to.y - from.y) * (x - from.x);
  if (Math.abs(side) > certain) return side;
  return Number(BigInt(to.x - from.x) * BigInt(y - from.y) - BigInt(to.y - from.y) * BigInt(x - from.x));
}
