import pg from 'pg';

const TEXT = 25;
const TEXT_ARRAY = 1009;

// The driver would read a date or a timestamp without zone as local midnight of this machine, which moves a
// birthday by a day, and an interval as an object.
const AS_TEXT = new Map<number, number>([
  [1082, TEXT], // date
  [1114, TEXT], // timestamp
  [1186, TEXT], // interval
  [1182, TEXT_ARRAY],
  [1115, TEXT_ARRAY],
  [1187, TEXT_ARRAY],
]);

export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    pg.types.getTypeParser(AS_TEXT.get(oid) ?? oid, format)) as typeof pg.types.getTypeParser,
};
