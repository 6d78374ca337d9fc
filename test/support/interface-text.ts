import type { ManifestCommand, ManifestFlag } from './manifest.js';

/** Arguments and flags of each command, a line each, so that a difference reads like a release note. */
export function describeCommands(commands: readonly ManifestCommand[]): string {
  return commands
    .map(({ id, args, flags }) => [
      id.replaceAll(':', ' '),
      ...Object.values(args).map(
        ({ name, required, options }) =>
          `  ${name.toUpperCase()}${choice(options)}${required === true ? '  required' : ''}`,
      ),
      ...Object.values(flags)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .map((flag) => `  ${describeFlag(flag)}`),
    ])
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function describeFlag(flag: ManifestFlag): string {
  const { name, type, char, helpValue, options, required, multiple, env, exclusive, dependsOn } = flag;
  return [
    `--${flag.allowNo === true ? '[no-]' : ''}${name}`,
    ...(char === undefined ? [] : [`-${char}`]),
    ...(type === 'boolean' ? [] : [options === undefined ? (helpValue ?? 'TEXT') : choice(options).trim()]),
    ...(multiple === true ? ['repeated'] : []),
    ...(required === true ? ['required'] : []),
    ...(flag.default === undefined || flag.default === false ? [] : [`default ${String(flag.default)}`]),
    ...(env === undefined ? [] : [`env ${env}`]),
    ...(exclusive === undefined ? [] : [`not with ${exclusive.join(', ')}`]),
    ...(dependsOn === undefined ? [] : [`with ${dependsOn.join(', ')}`]),
  ].join('  ');
}

function choice(options: readonly string[] | undefined): string {
  return options === undefined ? '' : ` ${options.join('|')}`;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/**
 * Keys and types of a JSON value, a line each: `grants[].id: uuid`. Elements of an array are put together. Objects under
 * a key in `maps` have keys of their own each time and are only called a map.
 */
export function shapeOf(value: unknown, maps: readonly string[]): string[] {
  const types = new Map<string, Set<string>>();
  const note = (path: string, type: string) => types.set(path, (types.get(path) ?? new Set()).add(type));
  const visit = (path: string, key: string, item: unknown): void => {
    if (Array.isArray(item)) {
      note(path, 'array');
      for (const one of item) visit(`${path}[]`, key, one);
    } else if (typeof item === 'object' && item !== null) {
      if (maps.includes(key)) note(path, 'map');
      else
        for (const [name, one] of Object.entries(item))
          visit(path === '' ? name : `${path}.${name}`, name, one);
    } else note(path, typeOf(item));
  };
  visit('', '', value);
  const lines = [...types].map(([path, found]) => `${path}: ${[...found].sort().join(' | ')}`);
  // An array is seen in its elements.
  return lines
    .filter(
      (line) =>
        !line.endsWith(': array') || !lines.some((other) => other.startsWith(`${line.slice(0, -7)}[]`)),
    )
    .sort();
}

function typeOf(item: unknown): string {
  if (item === null) return 'null';
  if (typeof item !== 'string') return typeof item;
  if (UUID.test(item)) return 'uuid';
  return TIME.test(item) ? 'time' : 'string';
}
