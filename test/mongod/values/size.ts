// Bytes that a value takes in BSON, without writing it.
import { Binary, Code, type BSONRegExp, type BSONSymbol } from 'bson';
import { type Doc, typeOf } from './types.ts';

export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;

export function documentBytes(doc: Doc): number {
  let bytes = 5;
  for (const name in doc) if (doc[name] !== undefined) bytes += 2 + Buffer.byteLength(name) + valueBytes(doc[name]);
  return bytes;
}

function valueBytes(value: unknown): number {
  switch (typeOf(value)) {
    case 'int': return 4;
    case 'double': case 'long': case 'date': case 'timestamp': return 8;
    case 'bool': return 1;
    case 'objectId': return 12;
    case 'decimal': return 16;
    case 'string': return 5 + Buffer.byteLength(value as string);
    case 'symbol': return 5 + Buffer.byteLength((value as BSONSymbol).value);
    case 'object': return documentBytes(value as Doc);
    case 'array': return (value as unknown[]).reduce<number>((sum, item, i) => sum + 2 + String(i).length + valueBytes(item), 5);
    case 'binData': return 5 + (value instanceof Binary ? value.position : (value as Uint8Array).length);
    case 'regex': return 2 + Buffer.byteLength((value as BSONRegExp).pattern ?? '') + ((value as BSONRegExp).options ?? '').length;
    case 'javascript': return 5 + String((value as Code).code).length;
    case 'javascriptWithScope': return 9 + String((value as Code).code).length + documentBytes((value as Code).scope as Doc);
    case 'dbPointer': return 17;
    default: return 0;
  }
}
