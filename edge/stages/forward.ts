/** What no stage before has answered is the origin's to answer. Answers stream through. */
import { parsePosition } from '../../shared/contract/position.ts';
import { positionCookie, positionHeader } from '../hop/demanded-position.ts';
import type { Stage } from '../path.ts';
import { toQuestion } from '../question.ts';

export function forward(): Stage {
  return async function forward(c) {
    const { response, facts } = await c.get('context').origin.ask(await toQuestion(c));
    c.set('facts', facts);
    const position = response.headers.get(positionHeader);
    const written = position === null ? undefined : parsePosition(position.slice(0, position.lastIndexOf('.')));
    if (written !== undefined) c.get('context').generations.noteWrite(c.get('route').resource.name, written);
    // Only browsers send Sec-Fetch-*; they get the position where they cannot forget it (SEMANTICS §1).
    if (position !== null && c.get('sent').has('sec-fetch-site')) response.headers.append('set-cookie', positionCookie(position));
    return response;
  };
}
