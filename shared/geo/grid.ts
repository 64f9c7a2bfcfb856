/**
 * Points of the map on a grid of ten-millionths of a degree, some 11 mm: every coordinate, of documents and of questions, is
 * rounded to it, so that both engines and every computer agree on what lies where. The grid is cut into 4 × 4 cells, each of
 * which is cut so again: a point is the text of its cells, sixteen digits, and the points of a cell are those that begin with
 * its text.
 */
import type { Json } from '../wire/values.ts';

export interface GridPoint {
  /** Eastwards from the date line, below `around`. */
  readonly x: number;
  /** Northwards from the south pole, up to `top`. */
  readonly y: number;
}

/** Both ends belong to it. */
export interface Rectangle {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

export const perDegree = 10_000_000;
export const around = 360 * perDegree;
export const top = 180 * perDegree;
/** Of the text of a point. */
export const digits = 16;
/** Follows whatever a cell's text can go on with. */
export const behindDigits = 'g';

/** Where a position (RFC 7946 §3.1.1) is drawn: the date line is at both sides of the map. `undefined`: it is none on the earth. */
export function toDrawn(position: Json | undefined): GridPoint | undefined {
  if (!Array.isArray(position) || position.length < 2 || position.length > 3) return undefined;
  const [longitude, latitude, altitude = 0]: readonly unknown[] = position;
  if (!isWithin(longitude, 180) || !isWithin(latitude, 90) || typeof altitude !== 'number') return undefined;
  return { x: Math.round(longitude * perDegree) + around / 2, y: Math.round(latitude * perDegree) + top / 2 };
}

/** The one name of a place: the date line is its west side, and a pole has one longitude. */
export function toGridPoint(position: Json | undefined): GridPoint | undefined {
  const drawn = toDrawn(position);
  return drawn === undefined ? undefined : { x: isPole(drawn.y) ? 0 : drawn.x % around, y: drawn.y };
}

export function isPole(y: number): boolean {
  return y === 0 || y === top;
}

export function cellOf({ x, y }: GridPoint): string {
  return Array.from({ length: digits }, (_, level) => {
    const shift = 2 * (digits - 1 - level);
    return (((y >>> shift) & 3) * 4 + ((x >>> shift) & 3)).toString(16);
  }).join('');
}

/** What a cell, or the text of a point, takes up of the map; a cell may lie beside the map. */
export function rectangleOf(cell: string): Rectangle {
  const side = 4 ** (digits - cell.length);
  let [west, south] = [0, 0];
  for (const [level, digit] of [...cell].entries()) {
    const [place, part] = [4 ** (digits - 1 - level), Number.parseInt(digit, 16)];
    west += (part & 3) * place;
    south += (part >>> 2) * place;
  }
  return { west, south, east: Math.min(west + side, around) - 1, north: Math.min(south + side - 1, top) };
}

/** The cells that this one is cut into, those beside the map left out. */
export function partsOf(cell: string): readonly string[] {
  return Array.from({ length: 16 }, (_, part) => cell + part.toString(16)).filter((part) => {
    const { west, south, east, north } = rectangleOf(part);
    return west <= east && south <= north;
  });
}

function isWithin(coordinate: unknown, most: number): coordinate is number {
  return typeof coordinate === 'number' && Math.abs(coordinate) <= most;
}
