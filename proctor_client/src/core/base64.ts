/** Bytes as base64 (RFC 4648, with padding), as JSON carries them. Pure. */

export type Bytes = Uint8Array<ArrayBuffer>

export function toBase64(bytes: Bytes): string {
  let text = ''
  // In pieces: a spread of a whole file would not fit the stack.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))
}

export function toHex(bytes: Bytes): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
