// Points within a circle, a box or a polygon on flat or spherical coordinates; everything else geographic is refused.
import { fail } from '../errors.ts';
import { isDoc, toNumber } from '../values/types.ts';

type Point = [number, number];

export function geoTest(op: string, shape: unknown): (value: unknown) => boolean {
  const inside = op === '$geoWithin' && isDoc(shape) ? within(shape) : null;
  if (!inside) throw fail('NotImplemented', `${op} of this shape is refused by this test server`);
  return value => { const point = toPoint(value); return point !== null && inside(point); };
}

function within(shape: Record<string, unknown>): ((point: Point) => boolean) | null {
  const sphere = shape['$centerSphere'];
  if (Array.isArray(sphere)) {
    const centre = toPoint(sphere[0]);
    const radians = toNumber(sphere[1]);
    return centre && radians !== undefined ? point => angle(centre, point) <= radians : null;
  }
  const circle = shape['$center'];
  if (Array.isArray(circle)) {
    const centre = toPoint(circle[0]);
    const radius = toNumber(circle[1]);
    return centre && radius !== undefined ? point => Math.hypot(point[0] - centre[0], point[1] - centre[1]) <= radius : null;
  }
  const box = shape['$box'];
  if (Array.isArray(box)) {
    const [low, high] = [toPoint(box[0]), toPoint(box[1])];
    return low && high ? point => point[0] >= low[0] && point[0] <= high[0] && point[1] >= low[1] && point[1] <= high[1] : null;
  }
  const polygon = shape['$polygon'];
  return Array.isArray(polygon) ? ringTest(polygon.map(toPoint)) : null;
}

function toPoint(value: unknown): Point | null {
  const pair = isDoc(value) && value['type'] === 'Point' ? value['coordinates'] : value;
  if (!Array.isArray(pair) || pair.length !== 2) return null;
  const [x, y] = pair.map(toNumber);
  return x === undefined || y === undefined ? null : [x, y];
}

function angle([lon1, lat1]: Point, [lon2, lat2]: Point): number {
  const rad = Math.PI / 180;
  const h = Math.sin((lat2 - lat1) * rad / 2) ** 2 + Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * Math.sin((lon2 - lon1) * rad / 2) ** 2;
  return 2 * Math.asin(Math.min(1, Math.sqrt(h)));
}

function ringTest(ring: (Point | null)[]): ((point: Point) => boolean) | null {
  const points = ring.filter(point => point !== null);
  if (points.length !== ring.length) return null;
  return ([x, y]) => {
    let inside = false;
    points.forEach(([xi, yi], i) => {
      const [xj, yj] = points[(i + points.length - 1) % points.length] as Point;
      if (yi > y !== yj > y && x < (xj - xi) * (y - yi) / (yj - yi) + xi) inside = !inside;
    });
    return inside;
  };
}
