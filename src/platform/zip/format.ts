/** With so many bytes a ZIP file ends, before its comment; the last two of them are the length of that. */
export const ZIP_END = 22;
/** What they begin with, little-endian. */
export const ZIP_END_SIGNATURE = 0x06054b50;
