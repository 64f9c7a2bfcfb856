/**
 * Distances on a sphere of the earth's mean radius (IUGG, R1), in whole millimetres. The earth is flatter: what is walked
 * differs from them by up to 0.6 %.
 */
import { around, type GridPoint, perDegree, type Rectangle, top } from './grid.ts';

const earthRadiusMillimetres = 6_371_008_771;
/** Half around: nothing is further away. */
const furthestMillimetres = Math.ceil(Math.PI * earthRadiusMillimetres);
const radiansPerStep = Math.PI / 180 / perDegree;

type Vector = readonly [number, number, number];

export class Distances {
  readonly #from: Vector;
  readonly #opposite: Vector;

  constructor(from: GridPoint) {
    const [x, y, z] = toVector(from.x * radiansPerStep, toLatitude(from.y));
    this.#from = [x, y, z];
    this.#opposite = [-x, -y, -z];
  }

  to({ x, y }: GridPoint): number {
    return Math.round(between(this.#from, toVector(x * radiansPerStep, toLatitude(y))));
  }

  /** No point of the rectangle is nearer. */
  least(within: Rectangle): number {
    return Math.max(Math.floor(leastBetween(this.#from, within)) - 1, 0);
  }

  /** No point of the rectangle is further away: as far as the other end of the earth is from it, less than half around. */
  most(within: Rectangle): number {
    return furthestMillimetres - Math.max(Math.floor(leastBetween(this.#opposite, within)) - 1, 0);
  }
}

function leastBetween(from: Vector, { west, south, east, north }: Rectangle): number {
  const [sunrise, sunset] = [west * radiansPerStep, east * radiansPerStep];
  const [least, most] = [toLatitude(south), toLatitude(north)];
  const latitude = Math.atan2(from[2], Math.hypot(from[0], from[1]));
  const longitude = ((Math.atan2(from[1], from[0]) / radiansPerStep) + around) % around;
  if (longitude >= west && longitude <= east) {
    if (latitude >= least && latitude <= most) return 0;
    return Math.min(Math.abs(least - latitude), Math.abs(most - latitude)) * earthRadiusMillimetres;
  }
  // On a meridian the nearest point is where the great circle meets it at a right angle, or one of its ends.
  return Math.min(...[sunrise, sunset].flatMap((meridian) => {
    const right = Math.atan2(from[2], from[0] * Math.cos(meridian) + from[1] * Math.sin(meridian));
    const nearest = right > least && right < most ? [least, most, right] : [least, most];
    return nearest.map((each) => between(from, toVector(meridian, each)));
  }));
}

function toLatitude(y: number): number {
  return (y - top / 2) * radiansPerStep;
}

function toVector(longitude: number, latitude: number): Vector {
  return [Math.cos(latitude) * Math.cos(longitude), Math.cos(latitude) * Math.sin(longitude), Math.sin(latitude)];
}

/** By the two sides of the right-angled triangle over the diameter: exact for what is near and for what is half around. */
function between(left: Vector, right: Vector): number {
  const apart = Math.hypot(left[0] - right[0], left[1] - right[1], left[2] - right[2]);
  const together = Math.hypot(left[0] + right[0], left[1] + right[1], left[2] + right[2]);
  return 2 * Math.atan2(apart, together) * earthRadiusMillimetres;
}
