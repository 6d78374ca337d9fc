import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { editToml } from '../../src/platform/config/edit-toml.js';
import { type ContextFile, contextFileSchema } from '../../src/platform/config/schema.js';

const TEXT = `# Ours. Ask Camille before changing.
current = "one" # the safe one

# The one for trying things.
[contexts.one]
kind = "server"
host = "a.example.ca" # behind the VPN
database = "d"
user = "u"
port = 5432

# Production: mind what you do.
[contexts."two"]
kind = "server"
host = "b.example.ca"
database = "d"
user = "u"
port = 5432
[contexts.two.owner]
user = "o"

# The last one.
[contexts.three]
kind = "server"
host = "c.example.ca"
database = "d"
user = "u"
port = 5432
`;
const read = (text: string): ContextFile => contextFileSchema.parse(parse(text));
const file = read(TEXT);

describe('editing the context file', () => {
  it('changes only the line of the current context', () => {
    const edited = editToml(TEXT, file, { ...file, current: 'two' });
    expect(edited).toBe(TEXT.replace('current = "one" # the safe one', 'current = "two"'));
  });

  it('adds a context below, and the line of the current one where there is none', () => {
    const bare = TEXT.replace(/^current.*\n/m, '');
    const four = { ...file.contexts.one, host: 'd.example.ca' } as ContextFile['contexts'][string];
    const after = { current: 'four', contexts: { ...file.contexts, four } };
    const edited = editToml(bare, read(bare), after);
    expect(read(edited)).toEqual(after);
    for (const line of bare.split('\n')) expect(edited).toContain(line);
  });

  it('removes a context with its sections and the comment above it, and no other', () => {
    const { two: _, ...contexts } = file.contexts;
    const edited = editToml(TEXT, file, { ...file, contexts });
    expect(read(edited)).toEqual({ ...file, contexts });
    expect(edited).not.toMatch(/Production|two|owner/);
    for (const kept of ['Ask Camille', '# behind the VPN', '# The one for trying', '# The last one.']) {
      expect(edited).toContain(kept);
    }
  });
});
