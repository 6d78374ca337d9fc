export { accessMatrix, type Matrix } from './access-matrix.js';
