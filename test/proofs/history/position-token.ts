import { parsePosition, type Position } from '../../../shared/wire/position.ts';

/** The position that a `Tombolo-Position` speaks of: the token without its MAC. */
export function mustPosition(token: string): Position {
  const position = parsePosition(token.slice(0, token.lastIndexOf('.')));
  if (position === undefined) throw new Error(`not a position: ${token}`);
  return position;
}
