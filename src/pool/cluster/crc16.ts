/** CRC-16/XMODEM: polynomial 0x1021, initial value 0, nothing reflected. It is what Redis Cluster hashes keys with. */
const table = new Uint16Array(256);
for (const [byte] of table.entries()) {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  table[byte] = crc;
}

/** The CRC of `bytes`, going on from that of what stands before them. */
export function crc16(bytes: Uint8Array, crc = 0): number {
  let sum = crc;
  for (const byte of bytes) sum = ((sum << 8) & 0xffff) ^ (table[(sum >> 8) ^ byte] as number);
  return sum;
}
