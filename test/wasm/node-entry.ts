/** What runs inside Node: every vector; paths come as arguments, the outcome goes to standard output. */
import { readFileSync } from 'node:fs';
import { TransformInstance } from '../../shared/transforms/instance.ts';
import { checkVector, type VectorFile } from './csv-vectors.ts';

const [moduleFile = '', vectorFile = ''] = process.argv.slice(2);
const file = JSON.parse(readFileSync(vectorFile, 'utf8')) as VectorFile;
const instance = new TransformInstance(new WebAssembly.Module(readFileSync(moduleFile)));
const failures = file.vectors.flatMap((vector) => checkVector(instance, file, vector));
console.log(JSON.stringify({ vectors: file.vectors.length, failures }));
