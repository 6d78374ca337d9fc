/** A login of the embedded cluster. None is a superuser or goes past Row Level Security. */
export interface LocalLogin {
  readonly name: string;
  /** Beside LOGIN. */
  readonly attributes: string;
}

/** A person who works with nestctl. */
export interface LocalOperator {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  /** The context that connects as this person. */
  readonly context: string;
}

export const SUPERUSER = 'postgres';
export const DATABASE = 'nestsync';
export const OWNER = 'nestsync_owner';
export const APP = 'nestsync_app';
export const SERVICE = 'nestsync_service';

/** Two, so that one person can try what needs four eyes. */
export const OPERATORS: readonly LocalOperator[] = [
  { login: 'camille.roy', name: 'Camille Roy', email: 'camille.roy@nestsync.example', context: 'local' },
  { login: 'dev.singh', name: 'Dev Singh', email: 'dev.singh@nestsync.example', context: 'local-second' },
];

export const LOGINS: readonly LocalLogin[] = [
  { name: OWNER, attributes: 'createrole' },
  { name: APP, attributes: 'noinherit' },
  { name: SERVICE, attributes: 'noinherit' },
  ...OPERATORS.map(({ login }) => ({ name: login, attributes: 'noinherit' })),
];
