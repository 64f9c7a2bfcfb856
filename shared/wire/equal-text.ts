/**
 * Whether the texts are equal, in constant time for equal lengths; the length of a MAC is no secret. `timingSafeEqual` takes
 * bytes alone, and making them costs 0.3 µs of the 2 that a request is verified in.
 */
export function isEqualText(left: string, right: string): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left.charCodeAt(index) ^ right.charCodeAt(index);
  return difference === 0;
}
