/** The seat's half of `exam_engine/infra/sealing.py`: open what was sealed for it, seal what only the server may read.
 *
 * Needs WebCrypto, which browsers give to pages over HTTPS (and on localhost) only; `canSeal` says whether it is there.
 */

import { type Bytes, toHex } from './base64.ts'

/** The bytes were not sealed under this key, or were changed since. */
export class SealBroken extends Error {}

const NONCE_BYTES = 12
const text = new TextEncoder()

export function canSeal(): boolean {
  return typeof crypto !== 'undefined' && 'subtle' in crypto && crypto.subtle !== undefined
}

export async function sha256Hex(content: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', content)))
}

export async function unseal(key: Bytes, label: string, sealed: Bytes): Promise<Bytes> {
  return unsealWith(await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt']), label, sealed)
}

/** Open a key that was sealed under a typed code; slow on purpose (PBKDF2). */
export async function unwrapByCode(code: string, salt: Bytes, rounds: number, label: string, wrapped: Bytes): Promise<Bytes> {
  const typed = await crypto.subtle.importKey('raw', text.encode(code), 'PBKDF2', false, ['deriveKey'])
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }
  const key = await crypto.subtle.deriveKey(how, typed, { name: 'AES-GCM', length: 256 }, false, ['decrypt'])
  return unsealWith(key, label, wrapped)
}

export async function macHex(key: Bytes, content: string): Promise<string> {
  const signing = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', signing, text.encode(content))))
}

/** Seal content so that only the holder of the private key opens it: our point, the nonce, the sealed bytes. */
export async function sealBox(publicKey: Bytes, label: string, content: string): Promise<Bytes> {
  const curve = { name: 'ECDH', namedCurve: 'P-256' }
  const theirs = await crypto.subtle.importKey('raw', publicKey, curve, false, [])
  const ours = await crypto.subtle.generateKey(curve, false, ['deriveBits'])
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', ours.publicKey))
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256)
  const secret = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey'])
  const how = { name: 'HKDF', hash: 'SHA-256', salt: point, info: text.encode(label) }
  const key = await crypto.subtle.deriveKey(how, secret, { name: 'AES-GCM', length: 256 }, false, ['encrypt'])
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: text.encode(label) }, key, text.encode(content))
  return joined([point, nonce, new Uint8Array(sealed)])
}

async function unsealWith(key: CryptoKey, label: string, sealed: Bytes): Promise<Bytes> {
  const how = { name: 'AES-GCM', iv: sealed.subarray(0, NONCE_BYTES), additionalData: text.encode(label) }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(how, key, sealed.subarray(NONCE_BYTES)))
  } catch {
    throw new SealBroken('these bytes were sealed under another key, or changed')
  }
}

function joined(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
