/** What both the writer and the readers of ZIP files go by (PKWARE APPNOTE 6.3). Signatures are little-endian. */

/** With so many bytes a ZIP file ends, before its comment; the last two of them are the length of that. */
export const ZIP_END = 22;
export const ZIP_END_SIGNATURE = 0x06054b50;

/** Before each file, and once more in the directory behind them all; then come the name and what else is said of it. */
export const LOCAL = { signature: 0x04034b50, size: 30 } as const;
export const LISTED = { signature: 0x02014b50, size: 46 } as const;
export const DEFLATED = 8;

/** Numbers from here on do not fit in the first format, and are written in that of ZIP64. */
export const LARGE = 0xffff_ffff;
export const MANY = 0xffff;
export const LARGE_EXTRA = 0x0001;
export const LARGE_END = { signature: 0x06064b50, size: 56 } as const;
export const LARGE_LOCATOR = { signature: 0x07064b50, size: 20 } as const;
